import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from apim_emulator.pulumi.recovery import recover
from tests.engine.killing import killed
from tests.engine.stack import Stack

RESOURCES = 11
"""How many resources of the stack are in the cloud; a step is taken after each."""

MODE = "key-named-value-backend"


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
