"""`Regex`, `Match` and their collections."""

import re
from collections.abc import Callable
from typing import Any

from apim_emulator.csharp.library.collections import lazy
from apim_emulator.csharp.library.table import CHECKS, Generic, define
from apim_emulator.csharp.runtime.dates import TimeSpan
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.meter import MAX_STEPS, bounded, made, spend
from apim_emulator.csharp.runtime.regex import Found, Regex, compiled
from apim_emulator.csharp.runtime.values import Array, Lazy, RegexOptions, describe, strings
from apim_emulator.csharp.types import Type

_NONE = RegexOptions["None"]
_LONGEST = (2**31 - 2) * 10_000
"""Longest time limit, in ticks."""
_STEPS_A_TICK = 5
"""Steps of a search that .NET takes in 100 ns (inferred: 20 ns a step)."""
_REFERENCE = re.compile(r"\$(?:\$|&|(\d{1,3})|\{(\w+)\})?")


def regex(pattern: str | None, options: Any = _NONE, limit: TimeSpan | None = None) -> Regex:
    """Make `new Regex(pattern[, options[, limit]])`.

    .NET has no time limit unless one is given ("Regex.MatchTimeout Property"), so that a match without one is given up
    with its evaluation. A limit is one in steps: as many as .NET takes in its time (inferred), at most a quarter of
    what an evaluation has.
    """
    if pattern is None:
        raise EvaluationError("ArgumentNullException")
    if limit is not None and not 0 < limit.ticks <= _LONGEST and limit.ticks != -10_000:
        raise EvaluationError("ArgumentOutOfRangeException")
    found = compiled(pattern, options)
    if limit is None or limit.ticks == -10_000:
        return found
    return found.limited(min(limit.ticks * _STEPS_A_TICK, MAX_STEPS // 4))


def _match(found: Regex, text: str | None) -> Found:
    return found.find(needed(text)) or Found(found, needed(text), ())


def _matches(found: Regex, text: str | None) -> list[Found]:
    return found.all(needed(text))


def _replace(found: Regex, text: str | None, replacement: Any) -> str:
    if replacement is None:
        raise EvaluationError("ArgumentNullException")
    make = replacement if callable(replacement) else _replacement(found, replacement)
    return bounded(found.replaced(needed(text), lambda match: make(match) or ""))


def _replacement(found: Regex, replacement: str) -> Callable[[Found], str]:
    """Read `$1`, `${name}`, `$&` and `$$`."""

    def referred(match: Found, reference: re.Match[str]) -> str:
        if reference[0] == "$$":
            return "$"
        if reference[0] == "$&":
            made(len(match.value))
            return match.value
        key = reference[1] or reference[2]
        if key is None or found.number(int(key) if key.isdigit() else key) is None:
            raise unsure("a replacement with such a reference")
        made(len(match.group(key).value))
        return match.group(key).value

    return lambda match: _REFERENCE.sub(lambda reference: referred(match, reference), replacement)


def _split(found: Regex, text: str | None) -> Array:
    if not found.captures_nothing:
        raise unsure("Split by a pattern with groups")
    pieces, place = [], 0
    for match in found.all(needed(text)):
        start, end = match.span or (0, 0)
        if start == end:
            raise unsure("Split by a pattern that may be empty")
        pieces.append(needed(text)[place:start])
        place = end
    return strings([*pieces, needed(text)[place:]])


def _escape(text: str | None) -> str:
    spend(len(needed(text)))
    special = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
    return "".join(special.get(one) or ("\\" + one if one in "\\*+?|{[()^$.# " else one) for one in needed(text))


def _at(matches: list[Found], index: int) -> Found:
    if not 0 <= index < len(matches):
        raise EvaluationError("ArgumentOutOfRangeException")
    return matches[index]


def _as_matches(type_: Type) -> Callable[[list[Found]], Lazy]:
    def call(matches: list[Found]) -> Lazy:
        if type_.name != "Match":
            raise unsure("matches as something else than Match")
        return lazy(lambda: iter(matches))

    return call


CHECKS["pattern"] = regex
_USES: dict[str, Callable[..., Any]] = {
    "IsMatch": lambda found, text: found.find(needed(text)) is not None,
    "Match": _match,
    "Matches": _matches,
    "Split": _split,
}
_SETTINGS = ("", ", RegexOptions", ", RegexOptions, TimeSpan")
_RESULTS = {"IsMatch": "bool", "Match": "Match", "Matches": "MatchCollection", "Split": "string[]"}


def _static(use: Callable[..., Any]) -> Callable[..., Any]:
    return lambda text, pattern, *settings: use(regex(pattern, *settings), text)


def _static_replace(text: str | None, pattern: str | None, replacement: Any, *settings: Any) -> str:
    return _replace(regex(pattern, *settings), text, replacement)


define(
    "Regex",
    methods={
        **{f"{name}(string): {_RESULTS[name]}": use for name, use in _USES.items()},
        "Replace(string, string): string": _replace,
        "Replace(string, Func<Match, string>): string": _replace,
    },
    statics={
        **{
            f"{name}(string, string pattern{settings}): {_RESULTS[name]}": _static(use)
            for name, use in _USES.items()
            for settings in _SETTINGS
        },
        "Escape(string): string": _escape,
        **{
            f"Replace(string, string pattern, {replacement}{settings}): string": _static_replace
            for replacement in ("string", "Func<Match, string>")
            for settings in _SETTINGS
        },
    },
    constructors={f"new(string pattern{settings}): Regex": regex for settings in _SETTINGS},
)
define(
    "Group",
    properties_={
        "Index: int": lambda group: group.span[0] if group.span else 0,
        "Length: int": lambda group: len(group.value),
        "Success: bool": lambda group: group.span is not None,
        "Value: string": lambda group: group.value,
    },
    methods={"ToString(): string": lambda group: group.value},
)
define("Match", properties_={"Groups: GroupCollection": lambda match: match})
define(
    "GroupCollection",
    properties_={"Count: int": lambda match: match.regex.count if match.captures else 1},
    indexers={"this(int): Group": Found.group, "this(string): Group": Found.group},
)
define(
    "MatchCollection",
    properties_={"Count: int": len},
    indexers={"this(int): Match": _at},
    methods={
        "Cast<R>(): IEnumerable<Match>": Generic(_as_matches),
        "OfType<R>(): IEnumerable<Match>": Generic(_as_matches),
    },
)
describe(Found, Type("Match"))
