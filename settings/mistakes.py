"""Mistakes in stack config, one line each."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

NAMESPACE = "openai-gateway"
LOCATION = "azure-native:location"

Key = tuple[str | int, ...]
"""The keys and indices that lead to a value, such as `("apis", 0, "path")`; `(LOCATION,)` for the location."""

ABSENT: Any = object()
"""The value of a key that is not there, or that is better left unsaid."""

REFUSED = "is refused"
"""The problem of a mapping that a rule on one of its values explains better."""

_SECRET = re.compile("key|secret|password|token|credential", re.IGNORECASE)
_PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN = 80  # characters of a value


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """A value that cannot stand, and why."""

    key: Key
    value: Any = field(default=ABSENT, repr=False)  # may be a secret
    problem: str
    """What is wrong with the value, what is allowed and what to do; quotes no value itself."""

    def line(self, *, secret: bool = False) -> str:
        """Return the mistake in one line, without the value where that is or may be a secret."""
        return " ".join(filter(None, [f"{spell(self.key)}:", self._shown(secret), self.problem]))

    def _shown(self, secret: bool) -> str:
        if self.value is ABSENT:
            return ""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        name = next((part for part in reversed(self.key) if isinstance(part, str)), "")
        if secret or _SECRET.search(name):
            return "the value (not shown)"
        text = json.dumps(self.value, ensure_ascii=False, default=str)
        text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


@dataclass(frozen=True, kw_only=True, slots=True)
class Warn(Mistake):
    """A mistake that a deployment survives."""


class SettingsError(ValueError):
    """Stack config with mistakes; `str()` lists all of them, one a line."""

    def __init__(self, mistakes: Iterable[Mistake], *, secret_keys: Collection[str] = ()) -> None:
        self.lines = tuple(mistake.line(secret=full_key(mistake.key) in secret_keys) for mistake in mistakes)
        super().__init__("\n".join(self.lines))


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Sort mistakes by place, and keep the first about each value."""
    first: dict[Key, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: isinstance(m, Warn)):  # a warning never hides an error
        first.setdefault(mistake.key, mistake)
    for key in [key for key, mistake in first.items() if mistake.problem == REFUSED]:
        if any(other[: len(key)] == key for other in first if other != key):
            del first[key]
    return sorted(first.values(), key=lambda m: [f"{p:06}" if isinstance(p, int) else str(p) for p in m.key])


def full_key(key: Key) -> str:
    """Return the config key that holds the value, as Pulumi names it."""
    return LOCATION if key[0] == LOCATION else f"{NAMESPACE}:{key[0]}"


def spell(key: Key) -> str:
    """Return the key in the spelling of `pulumi config set --path`, such as `openai-gateway:apis[0].path`."""
    text = full_key(key) if _PLAIN.fullmatch(str(key[0])) or key[0] == LOCATION else f"{NAMESPACE}:{_quoted(key[0])}"
    for part in key[1:]:
        text += f".{part}" if isinstance(part, str) and _PLAIN.fullmatch(part) else f"[{_quoted(part)}]"
    return text


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest of the known words, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(str(word).replace("_", "").lower(), by_lower, n=1)
    return f"; did you mean {by_lower[nearest[0]]}?" if nearest else ""


def _quoted(part: object) -> str:
    text = json.dumps(part, default=str)  # ASCII, so that a line stays a line
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
