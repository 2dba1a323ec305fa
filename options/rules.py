"""Rules on single values: names, IDs, addresses, URLs, ranges.

They see values as they were given, so that they speak up even where the shape around them is wrong. A value of another
type is left to the schema.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from options.mistakes import Key, Mistake, Name, Warn, camel
from policies import PolicyError
from policies.checks import check_decided, check_url
from policies.options import check_characters

Rule = Callable[[Key, Any], Iterator[Mistake]]

Rules = Mapping[str, tuple[Rule, ...]]
"""Rules by the fields that lead to a value, such as `accounts.*.name`; `*` is each item of a list or mapping."""

GUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


def check_values(rules: Rules, values: Any, spelling: Callable[[str], str] = str) -> Iterator[Mistake]:
    """Yield what is wrong with single values.

    Args:
        rules: rules by Python's names of the fields.
        values: mappings and lists of them.
        spelling: how the mappings spell a field.

    """
    for pattern, found in rules.items():
        for key, value in _find((), values, pattern.split(".") if pattern else [], spelling):
            for rule in found:
                yield from rule(key, value)


def _find(key: Key, value: Any, pattern: list[str], spelling: Callable[[str], str]) -> Iterator[tuple[Key, Any]]:
    if not pattern:
        yield key, value
    elif pattern[0] != "*":
        if isinstance(value, Mapping) and (name := spelling(pattern[0])) in value:
            yield from _find((*key, pattern[0]), value[name], pattern[1:], spelling)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _find((*key, own(name)), item, pattern[1:], spelling)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find((*key, index), item, pattern[1:], spelling)


def own(name: Any) -> Any:
    """Return a part of a key that its author chose; YAML also takes what is no text."""
    return Name(name) if isinstance(name, str) else name


def prefixed(prefix: str, rules: Rules) -> Rules:
    """Return the rules as seen from whatever holds the options at `prefix`."""
    return {f"{prefix}.{pattern}" if pattern else prefix: found for pattern, found in rules.items()}


def like(pattern: str, allowed: str) -> Rule:
    """Return the rule of text that the whole pattern matches."""
    regex = re.compile(pattern)

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, str) and not regex.fullmatch(value):
            yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")

    return rule


def passes(*checks: Callable[[str, str], None]) -> Rule:
    """Return the rule of text that checks of the policies let pass."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if not isinstance(value, str):
            return
        try:
            for check in checks:
                check("value", value)
        except PolicyError as error:
            # Here the key stands in front, not the policy's option, and the value only where it may be shown.
            yield Mistake(key=key, value=value, problem=str(error).removeprefix("value ").removeprefix(f"{value!r} "))

    return rule


def number(low: int, high: int | None, allowed: str) -> Rule:
    """Return the rule of a whole number in a range; a boolean is none."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        try:
            given = float(value)
        except (TypeError, ValueError):
            return
        if isinstance(value, bool) or not low <= given <= (inf if high is None else high):
            yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")
        elif isinstance(value, str):
            yield Warn(key=key, value=value, problem="is text where a number is expected; write it without quotes")

    return rule


def adopted(what: str, *own: str) -> Rule:
    """Return the rule of a mapping that names an `existing` resource, and so none of the settings of a new one."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, Mapping) and value.get("existing") is not None:
            for name in own:
                given = value.get(name, value.get(camel(name)))
                if given not in (None, [], {}):
                    problem = f"cannot be set on {what} that is adopted; remove it, or remove existing to create one"
                    yield Mistake(key=(*key, name), value=given, problem=problem)

    return rule


def boolean(key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse text that is neither true nor false."""
    if not isinstance(value, bool | list | dict | None) and value not in ("true", "false"):
        yield Mistake(key=key, value=value, problem="is given where true or false is expected")


def distinct(key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse a list that holds something twice."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item in value[:index]:
                twin = (*key, value.index(item))
                problem = "repeats {0}; remove one of the two"
                yield Mistake(key=(*key, index), value=item, problem=problem, about=(twin,))


guid = like(GUID, "a GUID such as 11111111-2222-3333-4444-555555555555")
literal = passes(check_decided, check_characters)
url = passes(check_url)
region = like("[A-Za-z][A-Za-z0-9 ]*", "an Azure region such as swedencentral")
words = like(r"(?=.{1,100}\Z)\S(?:.*\S)?", "1 to 100 characters, no spaces around them")
