"""What is public: the names in `__all__`, module by module."""

import importlib
import inspect
import pkgutil

import pytest

import apim_emulator

MODULES = [
    module
    for module in (
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(apim_emulator.__path__, "apim_emulator.")
        if not found.name.endswith("__main__")
    )
    if hasattr(module, "__all__")
]


def test_the_package_names_every_room_that_has_public_names() -> None:
    rooms = {module.__name__.split(".")[1] for module in MODULES}

    assert set(apim_emulator.__all__) == {*rooms, "__version__"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_public_name_is_there_once_and_tells_what_it_is(module: object) -> None:
    names = vars(module)["__all__"]

    assert len(set(names)) == len(names)
    for name in names:
        found = getattr(module, name, None) or importlib.import_module(f"{vars(module)['__name__']}.{name}")
        if inspect.isclass(found) or inspect.isfunction(found):
            assert (found.__doc__ or "").strip(), f"{name} has no docstring"
