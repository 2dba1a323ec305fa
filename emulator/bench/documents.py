"""Count the policy documents of public repositories that load: `python -m emulator.bench.documents FOLDER...`.

A folder is a git directory, a folder of such, or a plain one. A document counts once, wherever it is repeated, and may
stand at any scope and in any SKU. Named values and backends are made up; fragments are those of its repository, by file
name, or empty; placeholders of other tools are filled. Where the C# compiler of the expressions' judge is installed,
their expressions are judged too. `--page FILE` writes the figures as Markdown.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from emulator.bench.counting import Result, measure, total
from emulator.bench.documents_page import page
from emulator.bench.repositories import File, files
from emulator.tests.csharp.calls import without_chance
from emulator.tests.csharp.judge.compiler import Case, Report, is_available, judge
from emulator.tests.csharp.judge.repositories import expressions
from emulator.tests.csharp.judge.scenarios import scenarios


def by_repository(found: Iterable[File]) -> dict[str, list[str]]:
    """List the different expressions of each repository; those of an earlier one are left out."""
    own: dict[str, list[str]] = {}
    seen: set[str] = set()
    for file in found:
        new = [text for text in expressions([file]) if text not in seen]
        own.setdefault(file.repository, []).extend(new)
        seen.update(new)
    return own


def _judged(texts: Iterable[str]) -> Report | None:
    if not is_available():
        return None
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        without_chance(patch)
        return judge([Case(text, scenarios(text, 20)) for text in texts], Path(folder))


def _print(results: Mapping[str, Result], own: Mapping[str, list[str]], console: Console) -> None:
    whole = total(results)
    for file, problems in whole.refused:
        for problem in problems:
            place = f"{file.repository} {file.path}"
            console.print(f"{place}: {problem.kind}: {problem}", soft_wrap=True, highlight=False, markup=False)
    for told, number in (*whole.reasons.most_common(), *whole.needs.most_common()):
        console.print(f"{number:4} {told}", soft_wrap=True, highlight=False, markup=False)
    table = Table("repository", "documents", "loaded", "refused", "expressions", title="policy documents")
    for name, one in (*results.items(), ("all", whole)):
        count = len(own.get(name, ())) if one is not whole else sum(map(len, own.values()))
        table.add_row(name, *map(str, (one.documents, one.loaded, one.documents - one.loaded, count)))
    console.print(table)


def main() -> int:
    """Print the reasons, the table, and the figures of the expressions."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.bench.documents", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", nargs="+", type=Path, help="git directories, folders of such, or plain folders")
    parser.add_argument("--page", type=Path, help="write the figures there, as Markdown")
    given = parser.parse_args()
    found = [file for folder in given.folder for file in files(folder)]
    console = Console()
    own = by_repository(found)
    # Judged first: what is compiled before stays compiled as it was, chance included.
    report = _judged(text for texts in own.values() for text in texts)
    results = measure(found)
    _print(results, own, console)
    told = "expressions are not judged: mcs, mono and Json.NET are not installed" if report is None else str(report)
    console.print(told, soft_wrap=True, highlight=False, markup=False)
    if given.page is not None:
        counts = {name: len(texts) for name, texts in own.items()}
        given.page.write_text(page(results, counts, report, datetime.now(UTC).date()))
    return int(report is not None and bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
