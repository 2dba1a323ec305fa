"""An engine that is killed, and all that it started with it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.engine.stack import Stack

DEADLINE = 120.0
_POLL = 0.0005


def killed(stack: Stack, command: Sequence[str], when: Callable[[], bool]) -> bool:
    """Run a command in a session of its own until it ends or a condition holds; tell whether it had to be killed.

    The engine dies first, then whatever it left: first the one that would note what the others do.
    """
    printed = stack.folder / "printed.txt"
    with printed.open("w") as output:
        engine = subprocess.Popen(  # noqa: S603 - the engine
            command,
            cwd=stack.folder,
            env=stack.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: engine.poll() is not None or when())
    finally:
        running = engine.poll() is None
        engine.kill()
        engine.wait()
        wait_until(lambda: not _killed_session(engine.pid))
    stack.said.append(printed.read_text())
    return running


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_POLL)


def _killed_session(leader: int) -> list[int]:
    """Processes of a session that still were there, by Linux's proc file system; they are killed."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(entry.name))
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return found
