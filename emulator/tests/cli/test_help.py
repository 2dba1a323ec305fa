"""What the pages and the help say of the commands' options."""

import re
from pathlib import Path

import typer

from apim_emulator.cli.main import app

SERVE = Path(__file__).parents[2] / "docs" / "serve.md"


def options() -> set[str]:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return {
        name for command in commands.values() for one in command.params for name in (*one.opts, *one.secondary_opts)
    }


def test_every_option_of_the_page_is_one() -> None:
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", SERVE.read_text(encoding="utf-8")))

    assert said - options() == set()


def test_the_page_of_serve_has_every_option_of_its_own() -> None:
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    text = SERVE.read_text(encoding="utf-8")
    own = {one.opts[0] for one in command.params if one.opts[0].startswith("--")}

    assert {name for name in own if name not in text} <= {"--json", "--port", "--sku", "--trace", "--watch"}
