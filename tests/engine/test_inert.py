"""A program of one's own with resources that the sandbox does not model, under the engine."""

import shutil
from collections.abc import Callable

from tests.deployed import ROOT
from tests.engine.stack import Stack

PROGRAM = ROOT / "tests" / "engine" / "programs" / "inert.py"
WARNING = "azure-native:containerregistry:Registry is not modelled"


def test_what_is_not_modelled_comes_and_goes_like_the_rest_with_one_warning(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("identity-system-assigned")
    shutil.copy(PROGRAM, stack.folder / "__main__.py")

    said = stack.up("--skip-preview")

    assert said.split("Diagnostics:")[1].count(WARNING) == 1
    name, resource_id = (stack.run("stack", "output", output).strip() for output in ("name", "id"))
    assert resource_id.endswith(f"/providers/Microsoft.Containerregistry/registries/{name}")
    stack.expect_no_changes()
    stack.assert_in_step()
    stack.run("destroy", "--yes")
    assert not stack.resources()
