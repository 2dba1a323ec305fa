"""Views of the call that are sequences in C# but not in Python: headers, query parameters, claims, variables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from multidict import CIMultiDict

from apim_emulator.csharp.query import Query
from apim_emulator.csharp.types import Type, Typed, parse
from apim_emulator.csharp.values import Lazy, Pair, strings


def header_pairs(headers: CIMultiDict[str]) -> Iterator[Pair]:
    """Enumerate headers with all their values."""
    seen = set()
    for name in headers:
        if name.lower() not in seen:
            seen.add(name.lower())
            yield Pair(name, strings(headers.getall(name)))


def query_pairs(query: Query) -> Iterator[Pair]:
    """Enumerate query parameters with all their values."""
    seen = set()
    for name in query.names():
        if name.lower() not in seen:
            seen.add(name.lower())
            yield Pair(name, strings(query.values(name)))


def claim_pairs(claims: Mapping[str, list[str]]) -> Iterator[Pair]:
    """Enumerate claims with all their values."""
    return (Pair(name, strings(values)) for name, values in claims.items())


def _pairs(mapping: Mapping[str, Any]) -> Iterator[Pair]:
    return (Pair(name, value) for name, value in mapping.items())


_VIEWS = {
    "IHeaders": (header_pairs, "string[]"),
    "IQuery": (query_pairs, "string[]"),
    "IClaims": (claim_pairs, "string[]"),
    "IVariables": (_pairs, "object"),
    "IParameters": (_pairs, "string"),
}


def sequence(found: Typed) -> Typed:
    """Make a view a sequence of pairs; anything else stays what it is."""
    view = _VIEWS.get(found.type.name)
    if view is None:
        return found
    pairs, value = view
    run = found.run
    return Typed(parse(f"IEnumerable<KeyValuePair<string, {value}>>"), lambda frame: _lazy(pairs, run(frame)))


def _lazy(pairs: Any, value: Any) -> Lazy | None:
    return None if value is None else Lazy(lambda: pairs(value))


def element_type(type_: Type) -> Type | None:
    """Tell what `foreach` enumerates; None where the type is no sequence."""
    if type_.name == "JObject":
        return parse("KeyValuePair<string, JToken>")
    if type_.name == "MatchCollection":
        return Type("Match")
    found = type_.base("IEnumerable")
    return None if found is None else found.args[0]


def enumerated(value: Any, type_: Type) -> Iterable[Any]:
    """Enumerate a value that is not null as `foreach` does."""
    values: Iterable[Any] = value.pairs() if type_.name == "JObject" else value
    return values
