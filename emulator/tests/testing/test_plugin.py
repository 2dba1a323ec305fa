import os
import subprocess
import sys

import pytest

from apim_emulator import testing


def test_pytest_loads_no_gateway_until_a_test_asks_for_it() -> None:
    code = "import sys, apim_emulator.testing.plugin; print({'aiohttp', 'apim_emulator.gateway'} & {*sys.modules})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - own code

    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", testing.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert hasattr(testing, name)


def test_another_name_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError, match=r"^module 'apim_emulator.testing' has no attribute 'PolicyBanch'$"):
        _ = testing.PolicyBanch
