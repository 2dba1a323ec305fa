"""Stand-ins for provider plugins, asked for at versions that are not those of the installed SDKs."""

import shutil
from collections.abc import Callable
from importlib import metadata

from tests.deployed import ROOT
from tests.engine.stack import Stack

PROGRAM = ROOT / "tests" / "engine" / "programs" / "provider_versions.py"


def test_a_stand_in_answers_for_every_version_that_a_program_asks_for(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("identity-system-assigned")
    shutil.copy(PROGRAM, stack.folder / "__main__.py")

    said = stack.up("--skip-preview")

    asked = {
        (found["type"].rpartition(":")[2], found["inputs"]["version"])
        for found in stack.state()["resources"]
        if found["type"].startswith("pulumi:providers:")
    }
    assert asked == {
        *(("azure-native", version) for version in (metadata.version("pulumi-azure-native"), "3.28.0", "3.99.1")),
        ("azure-native", "4.0.0-alpha.1"),
        ("random", "4.0.0"),
    }
    assert "warning" not in said
    stack.expect_no_changes()
    stack.assert_in_step()
    stack.run("destroy", "--yes")
    assert not stack.resources()
