"""Count the policy documents of public repositories that load: `python -m emulator.bench.policies FOLDER...`.

A folder is a git directory, a folder of such, or a plain one. A document may stand at any scope and in any SKU; each
backend and each named value that it refers to is there, with a made-up value. Fragments are those of its repository, by
file name. Where the C# compiler of the expressions' judge is installed, their expressions are judged too.
"""

import argparse
import base64
import itertools
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.failures import Problem
from apim_emulator.gateway.loading.document import NAMED_VALUE, SECTIONS
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.standalone import IDENTITIES, OPERATIONS, format_of
from apim_emulator.model import Api, Backend, Gateway, Product
from emulator.bench.repositories import File, files, fragment_name
from emulator.tests.csharp.calls import without_chance
from emulator.tests.csharp.judge.compiler import Case, is_available, judge
from emulator.tests.csharp.judge.repositories import expressions
from emulator.tests.csharp.judge.scenarios import scenarios

URL = "https://example.com"
_GUID = "00000000-0000-4000-8000-000000000000"
_PLACES = (
    (re.compile(r"(?:tenant-id=[\"']|login\.microsoftonline\.com/|<application-id>)\s*$"), _GUID),
    (re.compile(r"(?:\b(?:base-url|url)=[\"']|<(?:origin|set-url)>)\s*$"), URL),
    (re.compile(r"<key[^>]*>\s*$"), base64.b64encode(bytes(64)).decode()),
    (re.compile(r"(?:from|to)=[\"']$|<address>\s*$"), "10.0.0.1"),
    (re.compile(r"\btemplate=[\"']$"), "/path"),
)
"""What must stand before a named value that cannot be just anything, and what it may be."""
_OTHERS = ("1", "true")
_BACKEND = re.compile(r"backend-id\s*=\s*[\"']([^\"'@]+)[\"']")
_FRAGMENT = re.compile(r"fragment-id\s*=\s*[\"']([^\"']+)[\"']")
_SCOPES = ("api", "product", "operation", "global")
_SKUS = ("Developer", "BasicV2")
_DEFINITION: dict[str, Any] = {
    "paths": {one.url_template: {each.method.lower(): {} for each in OPERATIONS} for one in OPERATIONS}
}


@dataclass(kw_only=True)
class Result:
    """What became of the documents of one repository."""

    documents: int = 0
    parsed: int = 0
    loaded: int = 0
    refused: list[tuple[File, Sequence[Problem]]] = field(default_factory=list)


def load(file: File, fragments: Mapping[str, str]) -> tuple[Problem, ...]:
    """Load one document wherever it may stand; gives why it loads nowhere, none where it does."""
    best: tuple[Problem, ...] = ()
    for document, scope, sku, other in itertools.product(_documents(file), _SCOPES, _SKUS, _OTHERS):
        try:
            compile_plan(_gateway(document, scope, sku, fragments, other))
        except PolicyLoadError as error:
            if not best or len(error.problems) < len(best):
                best = error.problems
        else:
            return ()
    return best


def _documents(file: File) -> Iterable[str]:
    if file.root == "policies":
        return (file.text,)
    include = f'<include-fragment fragment-id="{file.name}"/>'
    return (f"<policies><{section}>{include}</{section}></policies>" for section in SECTIONS)


def _gateway(document: str, scope: str, sku: str, fragments: Mapping[str, str], other: str) -> Gateway:
    used = _used(document, fragments)
    texts = (document, *used.values())
    own: dict[str, Any] = {"policy": document, "policy_format": format_of(document)}
    operations = tuple(replace(one, **own) for one in OPERATIONS) if scope == "operation" else OPERATIONS
    api = Api(id="api", path="", operations=operations, service_url=URL, definition=_DEFINITION)
    if scope == "api":
        api = replace(api, **own)
    return Gateway(
        name="any",
        sku=sku,
        apis=(api,),
        products=(Product(id="product", api_ids=frozenset({"api"}), **own),) if scope == "product" else (),
        backends=tuple(Backend(id=one, url=URL) for one in dict.fromkeys(_found(_BACKEND, texts))),
        identities=IDENTITIES,
        named_values=_named_values(texts, other),
        fragments=used,
        raw_fragments=frozenset(name for name, text in used.items() if format_of(text) == "rawxml"),
        **(own if scope == "global" else {}),
    )


def _used(document: str, fragments: Mapping[str, str]) -> dict[str, str]:
    """Pick the fragments that a document includes, and those that they include."""
    used: dict[str, str] = {}
    names = list(_found(_FRAGMENT, [document]))
    while names:
        name = names.pop()
        text = _fragment(fragment_name(name), fragments)
        if text is not None and name not in used:
            used[name] = text
            names += _found(_FRAGMENT, [text])
    return used


def _fragment(name: str, fragments: Mapping[str, str]) -> str | None:
    """Find a fragment by its name, or by the end of it that its file has."""
    ends = [one for one in fragments if name == one or name.endswith(f"-{one}")]
    return fragments[max(ends, key=len)] if ends else None


def _named_values(texts: Iterable[str], other: str) -> dict[str, str]:
    """Make up values that fit the places that ask for them."""
    values: dict[str, str] = {}
    for text in texts:
        for match in NAMED_VALUE.finditer(text):
            before = text[max(match.start() - 60, 0) : match.start()]
            fitting = next((value for place, value in _PLACES if place.search(before)), None)
            if fitting is not None:
                values[match[1]] = fitting
            else:
                values.setdefault(match[1], other)
    return values


def _found(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterator[str]:
    return (match[1] for text in texts for match in pattern.finditer(text))


def measure(found: Sequence[File]) -> dict[str, Result]:
    """Load every document; by repository."""
    results: dict[str, Result] = {}
    fragments: dict[str, dict[str, str]] = {}
    for file in found:
        if file.root == "fragment":
            fragments.setdefault(file.repository, {})[file.name] = file.text
    for file in found:
        if file.root is None or file.has_directives:
            continue
        result = results.setdefault(file.repository, Result())
        result.documents += 1
        problems = load(file, fragments.get(file.repository, {}))
        result.loaded += not problems
        result.parsed += not any("well-formed" in problem.reason for problem in problems)
        if problems:
            result.refused.append((file, problems))
    return results


def _print(results: Mapping[str, Result], console: Console) -> None:
    reasons: Counter[str] = Counter()
    for repository, result in results.items():
        for file, problems in result.refused:
            for problem in problems:
                console.print(f"{repository} {file.path}: {problem}", soft_wrap=True, highlight=False, markup=False)
            reasons[re.sub(r"line \d+, column \d+ of the expression: ", "", problems[0].reason)] += 1
    for reason, number in reasons.most_common():
        console.print(f"{number:4} {reason}", soft_wrap=True, highlight=False, markup=False)
    table = Table("repository", "documents", "parsed", "loaded", title="policy documents")
    for repository, one in results.items():
        table.add_row(repository, *map(str, (one.documents, one.parsed, one.loaded)))
    totals = [sum(getattr(one, name) for one in results.values()) for name in ("documents", "parsed", "loaded")]
    table.add_row("all", *map(str, totals), style="bold")
    console.print(table)


def main() -> int:
    """Print the table, the reasons, and the figures of the expressions."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.bench.policies", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", nargs="+", type=Path, help="git directories, folders of such, or plain folders")
    found = [file for folder in parser.parse_args().folder for file in files(folder)]
    console = Console()
    _print(measure(found), console)
    if not is_available():
        console.print("expressions are not judged: mcs, mono and Json.NET are not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        without_chance(patch)
        report = judge([Case(text, scenarios(text, 20)) for text in expressions(found)], Path(folder))
    console.print(str(report), soft_wrap=True, highlight=False, markup=False)
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
