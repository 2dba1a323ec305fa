"""Mistakes in stack config, each reported in one line."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from options.mistakes import Key, Mistake, Name, camel, first_of_each, shortened

NAMESPACE = "openai-gateway"


class FullKey(str):
    """A config key with its namespace; any other first part of a mistake's key is in ours."""

    __slots__ = ()


LOCATION = FullKey("azure-native:location")

REFUSED = "is refused"
"""The problem of a mapping for which a rule on one of its values has a better explanation."""

_PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_-]*")
_FULL = re.compile("[A-Za-z0-9_-]+:[A-Za-z0-9_.-]+")


class SettingsError(ValueError):
    """Stack config has mistakes; `str()` lists all of them, one a line."""

    def __init__(self, mistakes: Iterable[Mistake], *, secret_keys: Collection[str] = ()) -> None:
        self.lines = tuple(line(mistake, secret_keys) for mistake in mistakes)
        super().__init__("\n".join(self.lines))


def line(mistake: Mistake, secret_keys: Collection[str] = ()) -> str:
    """Return the mistake in one line, without the value if its key is secret in Pulumi."""
    return mistake.line(spell, secret=full_key(mistake.key) in secret_keys)


def in_config(*prefix: str | int, of: Iterable[Mistake]) -> list[Mistake]:
    """Return mistakes in options as mistakes at `prefix` in stack config, with fields in camelCase."""
    moved = [mistake.under(*prefix) for mistake in of]
    return [replace(one, key=_camel(one.key), about=tuple(map(_camel, one.about))) for one in moved]


def _camel(key: Key) -> Key:
    return tuple(camel(part) if isinstance(part, str) and not isinstance(part, Name) else part for part in key)


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Sort mistakes by key, and keep the first for each value."""
    first = first_of_each(mistakes)
    for key in [key for key, mistake in first.items() if mistake.problem == REFUSED]:
        if any(other[: len(key)] == key for other in first if other != key):
            del first[key]
    return sorted(first.values(), key=lambda m: [f"{p:06}" if isinstance(p, int) else str(p) for p in m.key])


def full_key(key: Key) -> str:
    """Return the full config key that holds the value, such as `openai-gateway:apis`."""
    return str(key[0]) if isinstance(key[0], FullKey) else f"{NAMESPACE}:{key[0]}"


def spell(key: Key) -> str:
    """Return the key in the notation of `pulumi config set --path`, such as `openai-gateway:apis[0].path`."""
    plain = (_FULL if isinstance(key[0], FullKey) else _PLAIN).fullmatch(str(key[0]))
    text = full_key(key) if plain else f"{NAMESPACE}:{_quoted(key[0])}"
    for part in key[1:]:
        text += f".{part}" if isinstance(part, str) and _PLAIN.fullmatch(part) else f"[{_quoted(part)}]"
    return text


def _quoted(part: object) -> str:
    return shortened(json.dumps(part, default=str))  # ASCII, so that a line stays a line
