import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from apim_emulator.pulumi.recovery import recover
from tests.engine.killing import killed
from tests.engine.stack import Stack

RESOURCES = 11
"""How many resources of the stack are in the cloud; a step is taken after each."""

MODE = "key-named-value-backend"

PROGRAM = """\
from pulumi_azure_native import resources

resources.ResourceGroup("group", location="swedencentral")
"""


@dataclass(frozen=True)
class Unsettled:
    """A resource group that exists, and of which a state knows only that it was being created."""

    stack: Stack
    urn: str
    id: str
    parent: str

    def noted(self) -> str | None:
        """The group's ID in the state."""
        return self.stack.resources().get(self.urn, {}).get("id")


@pytest.fixture
def unsettled(new_stack: Callable[[str], Stack]) -> Unsettled:
    stack = new_stack(MODE)
    (stack.folder / "__main__.py").write_text(PROGRAM)
    stack.up("--skip-preview")
    (path,) = (stack.folder / ".sandbox" / "state").glob(".pulumi/stacks/*/sandbox.json")
    state = json.loads(path.read_text())
    latest = state["checkpoint"]["latest"]
    group = next(found for found in latest["resources"] if found["type"].endswith(":ResourceGroup"))
    latest["resources"].remove(group)
    before = {name: value for name, value in group.items() if name not in ("id", "outputs", "created", "modified")}
    latest["pending_operations"] = [{"type": "creating", "resource": before}]
    path.write_text(json.dumps(state))
    return Unsettled(stack, group["urn"], group["id"], group["parent"])


@pytest.mark.parametrize("step", range(1, RESOURCES + 1))
def test_an_update_killed_after_any_resource_is_completed_by_the_next(
    new_stack: Callable[[str], Stack], step: int
) -> None:
    stack = new_stack(MODE)

    killed(stack, stack.command("up", "--yes", "--skip-preview"), lambda: _owned(stack.store) >= step)
    assert recover(stack.folder, "sandbox", stack.environment)
    assert not recover(stack.folder, "sandbox", stack.environment)
    stack.up()

    stack.assert_in_step()
    assert _owned(stack.store) == RESOURCES
    assert not stack.state().get("pending_operations")
    stack.expect_no_changes()


def test_what_was_created_but_not_noted_is_what_the_next_preview_finds(unsettled: Unsettled) -> None:
    stack = unsettled.stack

    assert recover(stack.folder, "sandbox", stack.environment)

    assert unsettled.noted() == unsettled.id
    stack.run("preview", "--expect-no-changes")
    stack.expect_no_changes()
    stack.assert_in_step()


def test_what_was_created_but_not_noted_is_taken_into_the_state_by_hand(unsettled: Unsettled) -> None:
    stack, parent = unsettled.stack, f"parent={unsettled.parent}"
    imported = ("azure-native:resources:ResourceGroup", "group", unsettled.id, "--parent", parent)

    stack.run("import", *imported, "--yes", "--protect=false", "--generate-code=false")
    stack.run("refresh", "--yes", "--clear-pending-creates")

    assert unsettled.noted() == unsettled.id
    stack.up("--expect-no-changes")
    stack.assert_in_step()
    assert not stack.state().get("pending_operations")


def test_the_engine_forgets_a_creation_that_it_is_asked_to_import(unsettled: Unsettled) -> None:
    stack = unsettled.stack

    pairs = (f"--import-pending-creates={text}" for text in (unsettled.urn, unsettled.id))
    stack.run("refresh", "--yes", *pairs)

    assert unsettled.noted() is None
    assert not stack.state().get("pending_operations")
    assert unsettled.id in stack.kept()


def _owned(store: Path) -> int:
    """How many resources of the stack the cloud has."""
    if not store.exists():
        return 0
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        (count,) = connection.execute('SELECT count(*) FROM resource WHERE body LIKE \'%"owner": "urn:%\'').fetchone()
        return int(count)
    except sqlite3.OperationalError:  # just being made
        return 0
    finally:
        connection.close()
