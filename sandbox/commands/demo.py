"""`python -m sandbox demo`: deploys and calls every auth mode."""

import asyncio
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from apim_emulator.cli.terminal import progress
from apim_emulator.errors import EmulatorError
from sandbox.commands.terminal import errors_explained
from sandbox.demo import Report
from sandbox.demo import run as run_demo
from sandbox.modes import MODES

_WIDTH = 150
"""Columns if the output is not a terminal, so that nothing is cut off or wrapped."""


def run(mode: str, as_json: bool) -> int:
    """Run the modes whose name contains `mode`; return 1 if a call had an unexpected outcome."""
    modes = [found for found in MODES if mode.lower() in found.name.lower()]
    if not modes:
        raise EmulatorError(f"--mode {mode}: no mode has that in its name; allowed: {'; '.join(m.name for m in MODES)}")
    with errors_explained(), progress.status("starting") as status:
        report = asyncio.run(run_demo(modes, lambda started: status.update(started.name)))
    if as_json:
        rows = [{**asdict(row), "passed": row.passed} for row in report.rows]
        sys.stdout.write(json.dumps({"rows": rows, "summary": _summary(report)}, indent=2) + "\n")
    else:
        _print(report)
    return 1 if report.failed else 0


def _summary(report: Report) -> dict[str, float]:
    return {
        "modes": len({row.mode for row in report.rows}),
        "calls": len(report.rows),
        "failed": report.failed,
        "seconds": round(report.seconds, 3),
        "setup_seconds": round(report.setup_seconds, 3),
    }


def _print(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, emoji=False)
    table = Table("mode", "caller", "expected", "got", "time", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[4].justify = "right"
    shown = ""
    for row in report.rows:
        if shown and row.mode != shown:
            table.add_section()
        table.add_row(
            row.mode if row.mode != shown else "",
            row.caller,
            row.expected,
            Text(row.got, style="green" if row.passed else "bold red"),
            f"{row.milliseconds:.0f} ms",
        )
        shown = row.mode
    console.print(table)
    summary = _summary(report)
    outcome = f"{report.failed} NOT as expected" if report.failed else "all as expected"
    console.print(
        f"\n{summary['calls']} calls, {summary['modes']} of {len(MODES)} modes: {outcome}; "
        f"{report.seconds:.1f} s, of which {report.setup_seconds:.1f} s were deployments",
        style="bold red" if report.failed else "bold green",
        highlight=False,
    )
