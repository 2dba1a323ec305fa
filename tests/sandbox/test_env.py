"""`python -m sandbox env`, and `make up` after an update that was interrupted."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from apim_emulator.environment import RECOVERED
from emulator.tests.pulumi.interrupted import ENDED, held_by, lock, noting_engine
from sandbox.commands import env
from tests.deployed import ROOT


def test_the_environment_tells_that_a_stack_was_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", noting_engine(tmp_path)["PATH"])
    monkeypatch.chdir(tmp_path)
    for name in ("Pulumi.yaml", "Pulumi.sandbox.yaml"):
        shutil.copy(ROOT / name, tmp_path)

    assert env.run("sandbox", as_json=True) == 0
    before = json.loads(capsys.readouterr().out)
    lock(Path(urlsplit(before["PULUMI_BACKEND_URL"]).path), held_by(ENDED))
    assert env.run("sandbox", as_json=True) == 0

    assert RECOVERED not in before
    assert json.loads(capsys.readouterr().out) == {**before, RECOVERED: "true"}


@pytest.mark.slow
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
    tools = {
        "bin/pulumi": f"echo $@ >> {tmp_path}/said",
        ".venv/bin/python": f"echo {exports}",
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

    assert (tmp_path / "said").read_text().splitlines() == ["stack select --create sandbox", arguments]
