"""What Pulumi documents for an update that was interrupted: release its lock, then clear its pending creations.

Nothing is lost by that: what was created and not noted in the state is the answer to the next request for it. Sources:
"pulumi cancel", "pulumi refresh".
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apim_emulator.errors import EmulatorError

__all__ = ["recover"]


def recover(project: Path, stack: str, env: Mapping[str, str]) -> bool:
    """Make a stack ready for its next update if the engine was killed during one, and tell whether it was.

    `env` is the environment from `create_pulumi_home`. Raises `EmulatorError` where an update is still running
    or the engine cannot recover.
    """
    locks = list(_locks(stack, env))
    if not locks:
        return False
    for lock in locks:
        if lock.get("hostname") == socket.gethostname() and _is_running(lock["pid"]):
            raise EmulatorError(f"stack {stack} is being updated by process {lock['pid']}; wait for it, or end it")
    for command in (["cancel", "--yes"], ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]):
        done = subprocess.run(  # noqa: S603 - the engine
            ["pulumi", *command, "--stack", stack, "--non-interactive", "--color", "never"],  # noqa: S607
            cwd=project,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmulatorError(f"pulumi {command[0]} --stack {stack} failed: {(done.stderr or done.stdout).strip()}")
    return True


def _locks(stack: str, env: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Locks of a stack in a file backend; one that was cut off when it was written holds nothing."""
    state = Path(urlsplit(env["PULUMI_BACKEND_URL"]).path)
    for path in state.glob(f".pulumi/locks/organization/*/{stack}/*.json"):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            yield {}


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
