"""What is wrong with options, said once for whoever reads it: stack config, or a program's own code."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Self

Key = tuple[str | int, ...]
"""The fields and indices that lead to a value, such as `("accounts", 0, "location")`."""

ABSENT: Any = object()
"""The value of a key that is not there, or that is better left unsaid."""

_SECRET = ("key", "secret", "password", "token", "credential")
_SHOWN = 80  # characters of a name or a value


def camel(name: str) -> str:
    """Return a field's name as stack config and the other languages spell it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def shortened(text: str) -> str:
    """Return JSON text as a message shows it: where it is long its beginning, with the quotes closed."""
    if len(text) <= _SHOWN:
        return text
    return text[:_SHOWN] + ('..."' if text.startswith('"') else "...")


class Name(str):
    """A part of a key that its author chose, such as a tag's name; no door spells it in another way."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """A value that cannot stand, and why."""

    key: Key
    value: Any = field(default=ABSENT, repr=False)  # may be a secret
    problem: str
    """What is wrong with the value, what is allowed and what to do; quotes no value itself. `{0}` stands for the first
    key in `about`, which is spelled as the reader's language does."""
    about: tuple[Key, ...] = ()
    """Other keys that the problem names."""

    def under(self, *prefix: str | int) -> Self:
        """Return the mistake as seen from whatever holds the options at `prefix`."""
        return replace(self, key=(*prefix, *self.key), about=tuple((*prefix, *key) for key in self.about))

    def line(self, spell: Callable[[Key], str], *, secret: bool = False) -> str:
        """Return the mistake in one line, without the value where that is or may be a secret."""
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
        name = next((part for part in reversed(self.key) if isinstance(part, str)), "").lower()
        if secret or any(word in name for word in _SECRET):
            return "the value (not shown)"
        text = json.dumps(self.value, ensure_ascii=False, default=str)
        text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
        return shortened(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Warn(Mistake):
    """A mistake that a deployment survives."""


def first_of_each(mistakes: Iterable[Mistake]) -> dict[Key, Mistake]:
    """Return the first mistake about each value; a warning never hides an error."""
    first: dict[Key, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: isinstance(m, Warn)):
        first.setdefault(mistake.key, mistake)
    return first


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest of the known words, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(str(word).replace("_", "").lower(), by_lower, n=1)
    return f"; did you mean {by_lower[nearest[0]]}?" if nearest else ""


def unique(named: Iterable[tuple[Key, str | None]], why: str) -> Iterator[Mistake]:
    """Yield every name that stands a second time, whatever its case."""
    first: dict[str, Key] = {}
    for key, name in named:
        if name is not None and (twin := first.setdefault(name.lower(), key)) != key:
            yield Mistake(key=key, value=name, problem=f"is taken by {{0}}; {why}; change one", about=(twin,))
