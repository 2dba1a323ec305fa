"""Counts documents by repository, and the reasons of those that do not load."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apim_emulator.gateway.failures import Problem
from emulator.bench.loading import load
from emulator.bench.repositories import File

_PLACE = re.compile(r"line \d+, column \d+ of the expression: ")
_QUOTED = re.compile(r"'[^']*'")


@dataclass(kw_only=True)
class Result:
    """What became of the documents of one repository."""

    documents: int = 0
    """Each different text once; what stands in an earlier repository too is counted there."""
    repeated: int = 0
    loaded: int = 0
    needs: Counter[str] = field(default_factory=Counter)
    """What those needed that load."""
    refused: list[tuple[File, Sequence[Problem]]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        """Refused documents by their first reason."""
        return Counter(reason(problems[0]) for _, problems in self.refused)


def reason(problem: Problem) -> str:
    """Write why a document does not load, without what is its own."""
    told = _QUOTED.sub("a value", _PLACE.sub("", problem.reason))
    told = re.sub(r"fragment [\w.-]+ does not exist", "a fragment does not exist", told)
    if problem.kind == "unsupported" and told.startswith("policy is"):
        return f"{problem.policy}: {told}"
    named = problem.policy if problem.attribute is None else f"{problem.policy}, {problem.attribute}"
    return told if _PLACE.search(problem.reason) or "well-formed" in told else f"{named}: {told}"


def measure(found: Iterable[File]) -> dict[str, Result]:
    """Load every document; by repository."""
    found = [file for file in found if file.root is not None]
    results: dict[str, Result] = {}
    seen: set[str] = set()
    fragments: dict[str, dict[str, str]] = {}
    for file in found:
        if file.root == "fragment":
            fragments.setdefault(file.repository, {})[file.name] = file.text
    for file in found:
        result = results.setdefault(file.repository, Result())
        if file.given in seen:
            result.repeated += 1
            continue
        seen.add(file.given)
        result.documents += 1
        loading = load(file, fragments.get(file.repository, {}))
        result.loaded += not loading.problems
        result.needs.update(loading.needs)
        if loading.problems:
            result.refused.append((file, loading.problems))
    return results


def total(results: Mapping[str, Result]) -> Result:
    """Add up what became of all documents."""
    whole = Result()
    for one in results.values():
        whole.documents += one.documents
        whole.repeated += one.repeated
        whole.loaded += one.loaded
        whole.needs.update(one.needs)
        whole.refused += one.refused
    return whole
