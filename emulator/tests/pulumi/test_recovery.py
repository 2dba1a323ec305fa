import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from apim_emulator.errors import SandboxError
from apim_emulator.pulumi.recovery import RECOVERED, recover
from sandbox.commands import env
from tests.deployed import ROOT

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


def test_the_environment_tells_that_a_stack_was_recovered(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.chdir(tmp_path)
    for name in ("Pulumi.yaml", "Pulumi.sandbox.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)

    assert env.run("sandbox", as_json=True) == 0
    before = json.loads(capsys.readouterr().out)
    lock(Path(urlsplit(before["PULUMI_BACKEND_URL"]).path), held_by(_ENDED))
    assert env.run("sandbox", as_json=True) == 0

    assert RECOVERED not in before
    assert json.loads(capsys.readouterr().out) == {**before, RECOVERED: "true"}


@pytest.mark.parametrize(
    ("exports", "arguments"),
    [
        ("export A=b", "up --yes --stack sandbox"),
        (f"export {RECOVERED}=true", "up --yes --skip-preview --stack sandbox"),
    ],
)
def test_make_up_takes_over_what_a_killed_update_made_without_a_preview(
    tmp_path: Path, exports: str, arguments: str
) -> None:
    tools = {"bin/make": "", "bin/pulumi": f"echo $@ >> {tmp_path}/said", ".venv/bin/python": f"echo {exports}"}
    for tool, does in tools.items():
        path = tmp_path / tool
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)
    search = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"

    subprocess.run(  # noqa: S603 - the project's own script
        ["bash", ROOT / "scripts" / "pulumi.sh", "up", "sandbox"],  # noqa: S607
        cwd=tmp_path,
        env={"PATH": search},
        check=True,
    )

    assert (tmp_path / "said").read_text().splitlines() == ["stack select --create sandbox", arguments]
