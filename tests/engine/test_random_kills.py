"""The engine killed at random moments: `KILLS=200 KILLS_SEED=7 pytest -s -m engine tests/engine/test_random_kills.py`.

It prints what the kills met.
"""

import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.recovery import recover
from tests.deployed import ROOT
from tests.engine.killing import killed
from tests.engine.stack import Stack

KILLS = int(os.environ.get("KILLS", "5"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
"""What the moments follow from. The machine's speed has a part in them, too."""

PROGRAM = ROOT / "tests" / "engine" / "programs" / "owners.py"
RESOURCES = 7
"""How many resources of the program are in the cloud."""
WRITES = {"create": 26, "update": 16, "destroy": 20}
"""About how often the state is written."""

RECOVERY_KILLED = CHANGED_MIND = 0.25
"""How often the recovery is killed, too, and how often somebody wants something else after it."""

UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
PHASES = (
    ("create", UP, UP),
    ("update", UP, UP),
    ("refresh", ("refresh", "--yes", "--skip-preview"), (*UP, "--expect-no-changes")),
    ("destroy", DESTROY, DESTROY),
)
"""What is killed, and what completes it."""

RECOVER = "from apim_emulator.pulumi.recovery import recover; import os; recover(os.getcwd(), 'sandbox', os.environ)"


class Moments:
    """Random moments of a phase: some time after its lock was taken, or after some of its writes of the state."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._state = stack.folder / ".sandbox" / "state" / ".pulumi"
        self._chance = chance
        self._lasted: dict[str, float] = {}

    def state(self) -> dict[str, Any]:
        """The state as it is in its file."""
        (path,) = self._state.glob("stacks/*/sandbox.json")
        return dict(json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"])

    def is_locked(self) -> bool:
        return any(self._state.glob("locks/organization/*/sandbox/*"))

    def next(self, phase: str) -> tuple[str, Callable[[], bool]]:
        """A moment in words, and a condition that holds from then on."""
        if phase in WRITES and self._chance.random() < 0.6:
            writes = self._chance.randint(1, WRITES[phase])
            return f"after {writes} writes", self._after_writes(writes)
        seconds = self._chance.uniform(0.0, self._lasted.get(phase, 3.0))
        return f"after {seconds:.3f} s", self._after(seconds)

    @contextmanager
    def measured(self, phase: str) -> Iterator[None]:
        """Learn how long a phase lasts."""
        began = time.monotonic()
        yield
        self._lasted[phase] = time.monotonic() - began

    def _after(self, seconds: float) -> Callable[[], bool]:
        locked: list[float] = []

        def holds() -> bool:
            if not locked and self.is_locked():
                locked.append(time.monotonic())
            return bool(locked) and time.monotonic() >= locked[0] + seconds

        return holds

    def _after_writes(self, writes: int) -> Callable[[], bool]:
        (path,) = self._state.glob("stacks/*/sandbox.json")
        seen = {path.stat().st_mtime_ns}

        def holds() -> bool:
            seen.add(path.stat().st_mtime_ns)
            return len(seen) > writes

        return holds


def test_nothing_is_lost_and_nothing_doubled_by_kills_at_random_moments(
    new_stack: Callable[[str], Stack],
) -> None:
    stack = new_stack("identity-system-assigned")
    shutil.copy(PROGRAM, stack.folder / "__main__.py")
    chance = random.Random(SEED)  # noqa: S311 - moments
    moments = Moments(stack, chance)
    secrets: set[str] = set()
    met: Counter[str] = Counter()

    for kill in range(KILLS):
        phase, command, completion = PHASES[kill % len(PHASES)]
        if phase in ("create", "update"):
            stack.configure("identity-system-assigned", round=kill)
        words, when = moments.next(phase)
        try:
            was_killed = killed(stack, stack.command(*command), when)
            met[f"{phase}: {'killed' if was_killed else 'over before'}"] += 1
            met[f"{phase}: locked"] += moments.is_locked()
            met.update(f"{phase}: pending {found['type']}" for found in moments.state().get("pending_operations", ()))
            secrets |= stack.secrets()
            if was_killed and chance.random() < RECOVERY_KILLED:
                words += _recovery_killed(stack, chance, met)
            recover(stack.folder, "sandbox", stack.environment)
            assert not recover(stack.folder, "sandbox", stack.environment)
            if chance.random() < CHANGED_MIND:
                words += _another_command(stack, phase, kill, moments.state())
            with moments.measured(phase):
                stack.run(*completion)
            secrets |= stack.secrets()
            _assert_in_step(stack, moments.state(), 0 if phase == "destroy" else RESOURCES)
        except (AssertionError, EmulatorError) as error:
            raise AssertionError(f"KILLS_SEED={SEED}, kill {kill + 1}, {phase} {words}: {error}") from error

    if stack.resources():
        stack.expect_no_changes()
    assert secrets
    assert not [path for path in _files(stack) if any(text.encode() in path.read_bytes() for text in secrets)]
    sys.stdout.write(f"\n{json.dumps(dict(sorted(met.items())), indent=1)}\n")


def _recovery_killed(stack: Stack, chance: random.Random, met: Counter[str]) -> str:
    seconds = chance.uniform(0.3, 4.0)
    end = time.monotonic() + seconds
    met["recovery: killed"] += killed(stack, [sys.executable, "-c", RECOVER], lambda: time.monotonic() >= end)
    return f", its recovery after {seconds:.3f} s"


def _another_command(stack: Stack, phase: str, kill: int, state: dict[str, Any]) -> str:
    """Destroy what was half created, or go back to the config before a half made update."""
    if phase == "create":
        stack.run(*DESTROY)
        assert not {key for key, body in stack.kept().items() if body["owner"]}
        return ", then destroyed"
    if phase == "update":
        if any(found.get("delete") for found in state.get("resources", ())):
            stack.run(*UP)  # a role that is yet to be deleted stands in the way of its like
        stack.configure("identity-system-assigned", round=kill - 1)
        return ", then taken back"
    return ""


def _assert_in_step(stack: Stack, state: dict[str, Any], resources: int) -> None:
    """State and cloud have the same, once, and nothing is on its way."""
    noted = [
        found for found in state.get("resources", []) if found["custom"] and not found["type"].startswith("pulumi:")
    ]
    ids = [found["id"].lower() for found in noted if not found["type"].startswith("random:")]
    owned = [key.lower() for key, body in stack.kept().items() if body["owner"]]
    assert sorted(ids) == sorted(owned)
    assert len(ids) == resources
    assert len({found["urn"] for found in noted}) == len(noted)
    assert not state.get("pending_operations")
    assert not [found["urn"] for found in noted if found.get("delete") or found.get("refreshBeforeUpdate")]


def _files(stack: Stack) -> Sequence[Path]:
    """Everything that the engine wrote."""
    folders = (stack.folder / ".sandbox" / part for part in ("state", "pulumi"))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
