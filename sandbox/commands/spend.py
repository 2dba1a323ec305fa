"""`python -m sandbox spend`: what the callers of a running sandbox have spent, by team and model."""

import json
import sys
from dataclasses import asdict
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from rich.console import Console
from rich.table import Table

from apim_emulator.cli.session import SessionFile, only_running
from apim_emulator.cli.terminal import note
from apim_emulator.errors import EmulatorError
from sandbox.spend import Spent

_OPENER = build_opener(ProxyHandler({}))


def run(stack: str | None, as_json: bool) -> int:
    """Print what was spent and return 0, or 1 if tokens have no price."""
    name = stack or only_running(Path.cwd())
    url = SessionFile(Path.cwd(), name).read().telemetry_url
    if url is None:
        raise EmulatorError(f"stack {name} was started by a command that does not tell what was spent; use up")
    try:
        with _OPENER.open(f"{url}spend.json", timeout=10) as answer:
            found = json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        raise EmulatorError(f"stack {name} does not answer; start it again") from None
    if "error" in found:
        raise EmulatorError(f"stack {name}: {found['error']}")
    rows = [Spent(**row) for row in found["spent"]]
    if as_json:
        sys.stdout.write(f"{json.dumps([asdict(row) for row in rows], indent=2)}\n")
    else:
        Console().print(_table(rows) if rows else "No calls yet.")
    unpriced = sorted({row.model for row in rows if row.cost is None})
    if unpriced:
        note(f"no price is known for what is deployed as {', '.join(unpriced)}; add it to observability.prices")
    return 1 if unpriced else 0


def _table(rows: list[Spent]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in ("team", "model", "prompt tokens", "completion tokens", "US dollars"):
        table.add_column(title, justify="left" if title in {"team", "model"} else "right")
    for row in rows:
        cost = "unknown" if row.cost is None else f"{row.cost:.6f}"
        table.add_row(row.team, row.model, str(row.prompt_tokens), str(row.completion_tokens), cost)
    known = sum(row.cost or 0 for row in rows)
    table.add_section()
    table.add_row("all", "", "", "", f"{known:.6f}")
    return table
