"""`python -m sandbox env`, and `make up` after an update that was interrupted."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulator.tests.pulumi.interrupted import ENDED, held_by, lock, noting_engine
from sandbox.commands import env
from tests.deployed import ROOT


def test_a_stack_whose_update_was_killed_is_recovered_first_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", noting_engine(tmp_path)["PATH"])
    monkeypatch.chdir(tmp_path)
    for name in ("Pulumi.yaml", "Pulumi.sandbox.yaml"):
        shutil.copy(ROOT / name, tmp_path)

    assert env.run("sandbox", as_json=True) == 0
    first = capsys.readouterr()
    lock(Path(urlsplit(json.loads(first.out)["PULUMI_BACKEND_URL"]).path), held_by(ENDED))
    assert env.run("sandbox", as_json=True) == 0

    assert (tmp_path / "said").read_text().split() == ["cancel", "refresh"]
    assert "killed" not in first.err
    second = capsys.readouterr()
    assert "the last update of sandbox was killed; its stack is ready for the next one" in second.err
    assert second.out == first.out


@pytest.mark.slow
def test_make_up_lets_the_engine_preview_and_update(tmp_path: Path) -> None:
    tools = {
        "bin/pulumi": f"echo $@ >> {tmp_path}/said",
        ".venv/bin/python": "echo export A=b",
        "scripts/environment.sh": "",  # the project's own would install into the environment that runs this
    }
    for tool, does in tools.items():
        path = tmp_path / tool
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)
    shutil.copy(ROOT / "scripts" / "pulumi.sh", tmp_path / "scripts")
    search = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"

    subprocess.run(  # noqa: S603 - the project's own script
        ["bash", tmp_path / "scripts" / "pulumi.sh", "up", "sandbox"],  # noqa: S607
        cwd=tmp_path,
        env={"PATH": search},
        check=True,
    )

    assert (tmp_path / "said").read_text().splitlines() == [
        "stack select --create sandbox",
        "up --yes --stack sandbox",
    ]
