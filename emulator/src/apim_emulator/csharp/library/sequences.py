"""What is enumerated in C# and by `foreach`, also where its Python value is no sequence."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from apim_emulator.csharp.runtime.values import Lazy, Pair
from apim_emulator.csharp.types import Type, Typed, parse

VIEWS: dict[str, tuple[Callable[[Any], Iterator[Pair]], str]] = {}
"""Types that are sequences of pairs in C# and not in Python: how their pairs are enumerated, and the values' type."""


def define_view(name: str, pairs: Callable[[Any], Iterator[Pair]], value: str) -> None:
    """Let a type be enumerated as `IEnumerable<KeyValuePair<string, value>>`."""
    VIEWS[name] = (pairs, value)


def sequence(found: Typed) -> Typed:
    """Make a view a sequence of pairs; anything else stays what it is."""
    view = VIEWS.get(found.type.name)
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
