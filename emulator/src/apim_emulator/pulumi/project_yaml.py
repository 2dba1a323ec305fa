"""YAML as Pulumi's engine reads it, which is not as PyYAML does: dates and numbers lose how they were typed.

The engine parses project and stack files with yaml.v3 of Go and hands a program what that made of them
(`sdk/go/common/resource/config/object.go`): a date becomes a text with a time of day and a zone.
"""

import re
from datetime import UTC, datetime
from typing import Any

import yaml

from apim_emulator.files import UniqueKeys

__all__ = ["read"]

_INTEGER = re.compile(
    "[-+]?(?:0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"  # a zero in front is octal
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {
    sign + word: float(sign + word.strip(".")) for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")
} | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
_CLOCK = r"\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?"
_DATE = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    rf"(?:[Tt](?P<time>{_CLOCK})(?P<zone>Z|[+-]\d{{2}}:\d{{2}})|[ ](?P<local>{_CLOCK}))?"
)
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}


class _Loader(UniqueKeys):
    """Reads plain scalars as yaml.v3 does, and all else as PyYAML."""


# Every scalar without quotes and without a tag of its own is told from those that have one.
_Loader.yaml_implicit_resolvers = {None: [("tag:yaml.org,2002:merge", re.compile("^<<$")), ("!plain", re.compile(""))]}


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return _plain(str(loader.construct_scalar(node)))


_Loader.add_constructor("!plain", _scalar)


def read(text: str) -> Any:
    """Return the document with the values that a program gets; raises `yaml.YAMLError`."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe one


def _plain(text: str) -> Any:
    """Return what yaml.v3 makes of a scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _SPECIAL:
        return _SPECIAL[text]
    if (date := _date(text)) is not None:
        return date
    digits = text.replace("_", "") if text[:1] != "_" else text
    if _INTEGER.fullmatch(digits):
        whole = int(re.sub("(?<![0-9a-zA-Z])0(?=[0-7])", "0o", digits), 0)
        if -(2**63) <= whole < 2**64:
            return whole
    if _FLOAT.fullmatch(digits) and abs(number := float(digits)) != float("inf"):
        # On its way through the engine a whole float becomes an integer.
        return int(number) if number.is_integer() and abs(number) < 2**63 else number
    return text


def _date(text: str) -> str | None:
    """Return a date as the engine hands it over, `2024-11-20 00:00:00 +0000 UTC`; None for another text."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = map(int, match["date"].split("-"))
    clock, _, fraction = (match["time"] or match["local"] or "0:0:0").partition(".")
    try:
        hour, minute, second = map(int, clock.split(":"))
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC).replace(tzinfo=None)
    except ValueError:
        return None
    rest = fraction.rstrip("0")
    zone = match["zone"] or "Z"
    name = "+0000 UTC" if zone in {"Z", "+00:00", "-00:00"} else f"{zone.replace(':', '')} {zone.replace(':', '')}"
    return f"{moment.isoformat(' ', 'seconds')}{'.' if rest else ''}{rest} {name}"
