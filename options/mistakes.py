"""Mistakes in options, worded once for stack config and for programs that use the components."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from typing import Any, Self

Key = tuple[str | int, ...]
"""The fields and indices that lead to a value, such as `("accounts", 0, "location")`."""

ABSENT: Any = object()
"""Stands for a value that is missing, or that a message does not show."""

_SECRET = ("key", "secret", "password", "token", "credential")
_HARMLESS = {"tokensperminute", "tokenquota", "tokenquotaperiod", "tokenpolicies"}
"""Names that sound like secrets and hold none: they are about the tokens that a model reads and writes."""
_SHOWN = 80  # characters of a name or a value


@cache
def camel(name: str) -> str:
    """Return a field's name as stack config and the other languages spell it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def shortened(text: str) -> str:
    """Return JSON text as a message shows it: if it is long, its beginning, with the quotes closed."""
    if len(text) <= _SHOWN:
        return text
    return text[:_SHOWN] + ('..."' if text.startswith('"') else "...")


class Name(str):
    """A part of a key that the user chose, such as a tag's name; it is never converted to another spelling."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """A value that is refused, and why."""

    key: Key
    value: Any = field(default=ABSENT, repr=False)  # may be a secret
    problem: str
    """What is wrong with the value, what is allowed and what to do, without the value itself. `{0}` stands for the
    first key in `about`, spelled as in the reader's language."""
    about: tuple[Key, ...] = ()
    """Other keys that `problem` mentions."""

    def under(self, *prefix: str | int) -> Self:
        """Return the mistake with its keys below `prefix`."""
        return replace(self, key=(*prefix, *self.key), about=tuple((*prefix, *key) for key in self.about))

    def line(self, spell: Callable[[Key], str], *, secret: bool = False) -> str:
        """Return the mistake in one line, without the value if it is or may be a secret."""
        problem = self.problem
        for number, key in enumerate(self.about):
            problem = problem.replace(f"{{{number}}}", spell(key))
        return " ".join(filter(None, [f"{spell(self.key)}:", self._shown(secret), problem]))

    def _shown(self, secret: bool) -> str:
        if self.value is ABSENT:
            return ""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        name = next((part for part in reversed(self.key) if isinstance(part, str)), "").lower().replace("_", "")
        if secret or (name not in _HARMLESS and any(word in name for word in _SECRET)):
            return "the value (not shown)"
        text = json.dumps(self.value, ensure_ascii=False, default=str)
        text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
        return shortened(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Warn(Mistake):
    """A mistake that does not prevent the deployment."""


def first_of_each(mistakes: Iterable[Mistake]) -> dict[Key, Mistake]:
    """Return the first mistake about each value; a warning never hides an error."""
    first: dict[Key, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: isinstance(m, Warn)):
        first.setdefault(mistake.key, mistake)
    return first


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the closest of the known words, or an empty string."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(str(word).replace("_", "").lower(), by_lower, n=1)
    return f"; did you mean {by_lower[nearest[0]]}?" if nearest else ""


def unique(named: Iterable[tuple[Key, str | None]], why: str) -> Iterator[Mistake]:
    """Yield every name that is used a second time, in any case."""
    first: dict[str, Key] = {}
    for key, name in named:
        if name is not None and (twin := first.setdefault(name.lower(), key)) != key:
            yield Mistake(key=key, value=name, problem=f"is already used by {{0}}; {why}; change one", about=(twin,))
