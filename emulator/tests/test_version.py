"""The version: said once, in the package."""

import re
import tomllib
from pathlib import Path

import pytest

from apim_emulator import __version__
from apim_emulator.cli import main as command_line

PROJECT = Path(__file__).parents[1]


def test_the_changelog_begins_with_the_version() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)

    assert released[0] == __version__


def test_the_distribution_takes_its_version_from_the_package() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    pyproject = tomllib.loads(text)

    assert "version" not in pyproject["project"]
    assert pyproject["project"]["dynamic"] == ["version"]
    source = PROJECT / pyproject["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{__version__}"' in source.read_text(encoding="utf-8").splitlines()


def test_the_command_line_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(command_line.app, ["--version"]) == 0

    assert capsys.readouterr().out == f"apim-emulator {__version__}\n"
