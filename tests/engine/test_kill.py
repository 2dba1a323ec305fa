import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from apim_emulator.pulumi.recovery import recover
from tests.engine.stack import Stack

RESOURCES = 11
"""How many resources of the stack are in the cloud; a step is taken after each."""

MODE = "key-named-value-backend"
DEADLINE = 120.0


def killed_after(stack: Stack, resources: int) -> None:
    """Run `up`, and kill the engine and all that it started as soon as the cloud has so many resources."""
    printed = stack.folder / "printed.txt"
    with printed.open("w") as output:
        engine = subprocess.Popen(  # noqa: S603 - the engine
            stack.command("up", "--yes", "--skip-preview"),
            cwd=stack.folder,
            env=stack.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(lambda: _owned(stack.store) >= resources or engine.poll() is not None)
    finally:
        for process in _session(engine.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        engine.wait()
    _wait(lambda: not _session(engine.pid))
    stack.said.append(printed.read_text())


@pytest.mark.parametrize("step", range(1, RESOURCES + 1))
def test_an_update_killed_after_any_resource_is_completed_by_the_next(
    new_stack: Callable[[str], Stack], step: int
) -> None:
    stack = new_stack(MODE)

    killed_after(stack, step)
    assert recover(stack.folder, "sandbox", stack.environment)
    assert not recover(stack.folder, "sandbox", stack.environment)
    stack.up("--skip-preview")

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


def _session(leader: int) -> list[int]:
    """Processes of a session, which are the engine and its plugins, by Linux's proc file system."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.0005)
