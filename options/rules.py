"""Rules on single values: names, IDs, addresses, URLs, ranges.

They see the values as given, so they apply even if the structure around a value is wrong. They leave values of another
type to the schema.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from options.mistakes import Key, Mistake, Name, Warn, camel
from policies import PolicyError
from policies.shared.checks import check_static, check_url
from policies.shared.options import check_characters

Rule = Callable[[Key, Any], Iterator[Mistake]]

Rules = Mapping[str, tuple[Rule, ...]]
"""Rules by the path to a value, such as `accounts.*.name`; `*` stands for each item of a list or mapping."""

GUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


def check_values(rules: Rules, values: Any, spelling: Callable[[str], str] = str) -> Iterator[Mistake]:
    """Yield what is wrong with single values.

    Args:
        rules: rules by path, with the names of the fields in Python.
        values: nested mappings and lists.
        spelling: turns a field's name into the key that the mappings use.

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
            yield from _find((*key, chosen(name)), item, pattern[1:], spelling)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find((*key, index), item, pattern[1:], spelling)


def chosen(name: Any) -> Any:
    """Return a part of a key that the user chose as a `Name`; YAML also allows keys that are not text."""
    return Name(name) if isinstance(name, str) else name


def prefixed(prefix: str, rules: Rules) -> Rules:
    """Return the rules with their paths below `prefix`."""
    return {f"{prefix}.{pattern}" if pattern else prefix: found for pattern, found in rules.items()}


def matches(pattern: str, allowed: str) -> Rule:
    """Return the rule that text must match the whole pattern; `allowed` describes it."""
    regex = re.compile(pattern)

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, str) and not regex.fullmatch(value):
            yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")

    return rule


def passes(*checks: Callable[[str, str], None]) -> Rule:
    """Return the rule that text must pass checks of `policies`."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if not isinstance(value, str):
            return
        try:
            for check in checks:
                check("value", value)
        except PolicyError as error:
            # The line begins with the key in place of the policy's option, and shows the value only if it may.
            yield Mistake(key=key, value=value, problem=str(error).removeprefix("value ").removeprefix(f"{value!r} "))

    return rule


def number(low: int, high: int | None, allowed: str) -> Rule:
    """Return the rule that a value must be a whole number in a range, and not a boolean."""

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


def excludes_existing(what: str, *names: str) -> Rule:
    """Return the rule that a mapping with an `existing` resource must not have the settings of a new one, `names`."""

    def rule(key: Key, value: Any) -> Iterator[Mistake]:
        if isinstance(value, Mapping) and value.get("existing") is not None:
            for name in names:
                given = value.get(name, value.get(camel(name)))
                if given not in (None, [], {}):
                    problem = f"cannot be set on an adopted {what}; remove it, or remove existing to create one"
                    yield Mistake(key=(*key, name), value=given, problem=problem)

    return rule


def boolean(key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse a scalar that is neither true nor false."""
    if not isinstance(value, bool | list | dict | None) and value not in ("true", "false"):
        yield Mistake(key=key, value=value, problem="is given where true or false is expected")


def distinct(key: Key, value: Any) -> Iterator[Mistake]:
    """Refuse a list that has an item twice."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item in value[:index]:
                twin = (*key, value.index(item))
                problem = "repeats {0}; remove one of the two"
                yield Mistake(key=(*key, index), value=item, problem=problem, about=(twin,))


guid = matches(GUID, "a GUID such as 11111111-2222-3333-4444-555555555555")
literal = passes(check_static, check_characters)
url = passes(check_url)
region = matches("[A-Za-z][A-Za-z0-9 ]*", "an Azure region such as swedencentral")
short_text = matches(r"(?=.{1,100}\Z)\S(?:.*\S)?", "1 to 100 characters, without spaces around them")
