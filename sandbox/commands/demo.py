"""`python -m sandbox demo`: deploys and calls every auth mode, and shows each capability."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from apim_emulator.cli.terminal import progress
from apim_emulator.errors import EmulatorError
from sandbox.capabilities import CAPABILITIES, Shown
from sandbox.commands.terminal import errors_explained
from sandbox.demo import Report, Row
from sandbox.demo import run as run_demo
from sandbox.modes import MODES

_WIDTH = 150
"""Columns if the output is not a terminal, so that nothing is cut off or wrapped."""


def run(mode: str, as_json: bool) -> int:
    """Run the modes and capabilities whose name contains `mode`; return 1 if a call had an unexpected outcome."""
    modes = [found for found in MODES if mode.lower() in found.name.lower()]
    capabilities = [found for found in CAPABILITIES if mode.lower() in found.name.lower()]
    if not modes and not capabilities:
        names = "; ".join(found.name for found in (*MODES, *CAPABILITIES))
        raise EmulatorError(f"--mode {mode}: no mode or capability has that in its name; allowed: {names}")
    with errors_explained(), progress.status("starting") as status:
        report = asyncio.run(run_demo(modes, capabilities, status.update))
    if as_json:
        found = {
            "rows": [{**asdict(row), "passed": row.passed} for row in report.rows],
            "capabilities": [{**asdict(row), "passed": row.passed} for row in report.capabilities],
            "summary": _summary(report),
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        _print(report)
    return 1 if report.failed else 0


def _summary(report: Report) -> dict[str, float]:
    return {
        "modes": len({row.mode for row in report.rows}),
        "capabilities": len({row.capability for row in report.capabilities}),
        "calls": len(report.rows) + len(report.capabilities),
        "failed": report.failed,
        "seconds": round(report.seconds, 3),
        "setup_seconds": round(report.setup_seconds, 3),
    }


def _print(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, emoji=False)
    if report.rows:
        modes = _table("mode", "caller")
        _fill(modes, [((row.mode,), row.caller, row) for row in report.rows])
        console.print(modes)
    if report.capabilities:
        console.print()
        capabilities = _table("capability", "config", "call")
        _fill(capabilities, [((row.capability, row.config), row.call, row) for row in report.capabilities])
        console.print(capabilities)
    summary = _summary(report)
    outcome = f"{report.failed} NOT as expected" if report.failed else "all as expected"
    groups = [
        f"{summary[kind]} of {len(known)} {kind}"
        for kind, known in (("modes", MODES), ("capabilities", CAPABILITIES))
        if summary[kind]
    ]
    setup = f", of which {report.setup_seconds:.1f} s were the modes' deployments" if report.rows else ""
    console.print(
        f"\n{summary['calls']} calls, {' and '.join(groups)}: {outcome}; {report.seconds:.1f} s{setup}",
        style="bold red" if report.failed else "bold green",
        highlight=False,
    )


def _table(*columns: str) -> Table:
    table = Table(*columns, "expected", "got", "time", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[-1].justify = "right"
    return table


def _fill(table: Table, rows: Sequence[tuple[tuple[str, ...], str, Row | Shown]]) -> None:
    """Add rows; what heads a group is given with its first row alone."""
    group: tuple[str, ...] = ()
    for head, call, row in rows:
        if group and head != group:
            table.add_section()
        # As text, since rich takes a list of lower-case words in brackets for a style.
        cells = [Text(cell) for cell in (head if head != group else ("",) * len(head))]
        got = Text(row.got, style="green" if row.passed else "bold red")
        table.add_row(*cells, call, row.expected, got, f"{row.milliseconds:.0f} ms")
        group = head
