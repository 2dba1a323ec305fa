"""Writes the figures of public policy documents as a page in Markdown."""

from collections.abc import Iterable, Mapping
from datetime import date

from emulator.bench.counting import Result, reason, total
from emulator.bench.loading import NEEDS
from emulator.tests.csharp.judge.compiler import Report

_KINDS = {
    "mistake": "it breaks a rule of API Management",
    "reference": "it names what is not there",
    "unsupported": "the emulator alone refuses it",
}
_HEAD = """# Public policy documents

What of the policy documents in public repositories this emulator loads, measured on {day} by
`python -m emulator.bench.documents FOLDER --page emulator/docs/public-policies.md`. A document counts once, wherever it
is repeated. Named values and backends, which a service keeps elsewhere, are made up.
"""


def page(results: Mapping[str, Result], own: Mapping[str, int], report: Report | None, day: date) -> str:
    """Write the page; `own` has the number of different expressions by repository."""
    whole = total(results)
    refused = whole.documents - whole.loaded
    parts = [
        _HEAD.format(day=day),
        f"**{whole.loaded} of {whole.documents} documents of {len(results)} repositories load"
        f" ({whole.loaded / max(whole.documents, 1):.1%}).**\n",
        _table(("what those needed that load", "documents"), [(one, whole.needs[one]) for one in NEEDS]),
        f"## Why {refused} do not load\n",
        "By the first reason of each document.\n",
        _table(("reason", "kind", "documents"), _reasons(whole)),
        "## Expressions\n",
        _expressions(report),
        "## Repositories\n",
        _table(
            ("repository", "documents", "repeated", "load", "refused", "different expressions"),
            [
                (name, one.documents, one.repeated, one.loaded, _refused(one), own.get(name, 0))
                for name, one in sorted(results.items(), key=lambda item: item[0].lower())
            ],
        ),
    ]
    return "\n".join(parts)


def _reasons(whole: Result) -> list[tuple[str, str, int]]:
    kinds = {reason(problems[0]): _KINDS[problems[0].kind] for _, problems in whole.refused}
    return [(one, kinds[one], number) for one, number in whole.reasons.most_common()]


def _refused(one: Result) -> str:
    return "; ".join(f"{number} times {told}" for told, number in one.reasons.most_common())


def _expressions(report: Report | None) -> str:
    if report is None:
        return "Not judged: the C# compiler was not installed.\n"
    rows = [
        ("different expressions that Mono's C# compiler compiles", report.tried),
        ("supported", f"{report.supported} ({report.supported / max(report.tried, 1):.1%})"),
        ("evaluations in made-up calls", report.evaluations),
        ("equal to compiled C#", report.equal),
        ("given up, with the reason", report.stopped.total()),
        ("wrong", len(report.wrong)),
        ("not C#", report.not_csharp),
        ("accepted though not C#", len(report.accepted)),
    ]
    refused = sorted(((why, len(texts)) for why, texts in report.refused.items()), key=lambda row: -row[1])
    return "\n".join([_table(("", "number"), rows), _table(("refused because", "expressions"), refused)])


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"
    )
