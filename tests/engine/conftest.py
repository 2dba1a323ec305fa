import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, and skip it where there is no engine."""
    missing = [name for name in ("pulumi", "pulumi-language-python") if shutil.which(name) is None]
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"not on the PATH: {', '.join(missing)}"))


@pytest.fixture
def new_stack(tmp_path: Path) -> Callable[[str], Stack]:
    """Make a stack of a mode in a folder of its own."""
    return lambda mode: Stack(tmp_path, mode)


@pytest.fixture
def stack(new_stack: Callable[[str], Stack]) -> Stack:
    """A stack that was deployed, with a managed identity."""
    made = new_stack("identity-system-assigned")
    made.up("--skip-preview")
    return made
