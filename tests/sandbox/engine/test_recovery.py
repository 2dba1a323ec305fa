import json
import os
import socket
from pathlib import Path

import pytest

from sandbox.engine.recovery import recover
from sandbox.errors import SandboxError

_ENDED = 2**22 + 1
"""More than any process ID of Linux."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment with an engine that notes its arguments, and fails where there is a file `broken`."""
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(f"#!/bin/sh\ncd {tmp_path}\necho $1 >> said\nif [ -e broken ]; then echo no >&2; exit 1; fi\n")
    engine.chmod(0o755)
    return {
        "PATH": f"{engine.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}?metadata=skip",
    }


def lock(folder: Path, content: str, stack: str = "sandbox") -> None:
    path = folder / f".pulumi/locks/organization/openai-gateway/{stack}/1.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def held_by(pid: int, host: str = "") -> str:
    return json.dumps({"pid": pid, "hostname": host or socket.gethostname()})


def test_a_stack_that_was_not_interrupted_is_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(_ENDED), stack="other")

    assert not recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(held_by(_ENDED), id="process ended"),
        pytest.param(held_by(os.getpid(), "elsewhere.example.com"), id="another machine's process"),
        pytest.param("", id="lock cut off"),
    ],
)
def test_an_interrupted_stack_is_unlocked_and_refreshed(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])
    lock(tmp_path, content)

    assert recover(tmp_path, "sandbox", environment)
    assert (tmp_path / "said").read_text().split() == ["cancel", "refresh"]


def test_a_running_update_is_not_disturbed(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(os.getpid()))

    with pytest.raises(SandboxError, match=f"being updated by process {os.getpid()}"):
        recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


def test_what_the_engine_says_against_it_is_told(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])
    lock(tmp_path, held_by(_ENDED))
    (tmp_path / "broken").touch()

    with pytest.raises(SandboxError, match="pulumi cancel --stack sandbox failed: no"):
        recover(tmp_path, "sandbox", environment)
