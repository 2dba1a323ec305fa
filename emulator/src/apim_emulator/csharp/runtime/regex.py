"""Regular expressions as .NET matches them, in a subset: parsed to closures that backtrack and count their steps.

Python's `re` is not used: it has other classes of characters and no bound.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from apim_emulator.csharp.runtime import strings
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import joined, made, matched_within, passed, spend
from apim_emulator.csharp.runtime.values import RegexOptions

Captures = tuple[tuple[int, int] | None, ...]
After = Callable[[int, Captures], Captures | None]
"""What follows a part: gets the place and the captures, gives those of the whole match."""
Matcher = Callable[[str, int, Captures, After], Captures | None]

_ASCII = frozenset(map(chr, range(128)))
_DIGIT = frozenset("0123456789")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPACE = frozenset(" \t\n\r\f\v")
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE, "D": _ASCII - _DIGIT, "W": _ASCII - _WORD, "S": _ASCII - _SPACE}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_A_MATCH = 512
"""Characters that a match counts for."""
_MAX_PATTERN = 1000
_MAX_REPEAT = 1000
_PIECE = 1024
"""Characters of a run between two looks at the bounds."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A compiled part of a pattern."""

    match: Matcher
    characters: "_Characters | None" = None
    """The test of the one character that it matches, if it is so simple."""
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class _Characters:
    """A set of characters: ASCII ones by name, the others all or none."""

    ascii: frozenset[str]
    beyond: bool
    listed: frozenset[str] = frozenset()

    def __contains__(self, character: str) -> bool:
        if character in _ASCII:
            return character in self.ascii
        return self.beyond != (character in self.listed)


@dataclass(frozen=True, slots=True)
class Found:
    """`Match`, and `Group` by its number."""

    regex: "Regex"
    text: str
    captures: Captures
    number: int = 0

    @property
    def span(self) -> tuple[int, int] | None:
        """Where it is; None where it did not match."""
        return self.captures[self.number] if self.captures else None

    @property
    def value(self) -> str:
        """`Value`; empty where it did not match."""
        return self.text[slice(*self.span)] if self.span is not None else ""

    def group(self, key: int | str | None) -> "Found":
        """`Groups[key]`; an unknown one did not match, nor did any of a match that failed."""
        if key is None and self.captures:
            raise EvaluationError("ArgumentNullException")
        number = None if key is None else self.regex.number(key)
        return Found(self.regex, self.text, self.captures if number is not None else (), number or 0)


class Regex:
    """A compiled pattern."""

    def __init__(self, pattern: str, options: RegexOptions) -> None:
        """Compile a pattern; raises `StoppedError` for one outside the subset."""
        parser = _Parser(pattern, options)
        part = parser.whole()
        self.names = parser.names
        self.count = parser.groups + 1
        self.captures_nothing = self.count == 1
        self._match = part.match
        self._ascii_text = parser.ascii_text or bool(options & RegexOptions.IgnoreCase)

    def number(self, key: int | str) -> int | None:
        """Find a group's number."""
        if isinstance(key, int):
            return key if 0 <= key < self.count else None
        if key.isascii() and key.isdigit():
            return self.number(int(key))
        return self.names.get(key)

    limit: int | None = None
    """Most steps of a search."""

    def limited(self, steps: int) -> "Regex":
        """Make the same pattern with a limit for each search."""
        found = copy(self)
        found.limit = steps
        return found

    def find(self, text: str, start: int = 0) -> Found | None:
        """Find the first match from a place on; raises `RegexMatchTimeoutException` beyond its own limit."""
        if self.limit is None:
            return self._found(text, start)
        return matched_within(self.limit, self._found, text, start)

    def _found(self, text: str, start: int) -> Found | None:
        if not text.isascii() and (self._ascii_text or strings.length(text) != len(text)):
            raise unsure("a regular expression on text outside ASCII")
        match, nothing = self._match, (None,) * self.count
        for place in range(start, len(text) + 1):
            spend()
            found = match(text, place, nothing, _done)
            if found is not None:
                return Found(self, text, ((place, found[0][1] if found[0] else place), *found[1:]))
        return None

    def all(self, text: str) -> list[Found]:
        """Find all matches, one after the other."""
        matches = []
        place = 0
        while place <= len(text):
            found = self.find(text, place)
            if found is None or found.span is None:
                break
            matches.append(found)
            made(_A_MATCH)
            start, end = found.span
            place = end if end > start else end + 1
        return matches

    def replaced(self, text: str, make: Callable[[Found], str]) -> str:
        """Put something in the place of every match."""
        pieces, place = [], 0
        for found in self.all(text):
            start, end = found.span or (0, 0)
            pieces += [text[place:start], make(found)]
            place = end
        return joined([*pieces, text[place:]])


def _done(place: int, captures: Captures) -> Captures:
    return ((0, place), *captures[1:])


@lru_cache(maxsize=512)
def compiled(pattern: str, options: RegexOptions) -> Regex:
    """Compile a pattern once."""
    spend(4 * len(pattern))
    return Regex(pattern, options)


@dataclass(slots=True)
class _Parser:
    """Reads a pattern from left to right."""

    pattern: str
    options: Any
    place: int = 0
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)
    ascii_text: bool = False
    """Whether the pattern has parts whose meaning outside ASCII is not supported."""

    def whole(self) -> _Part:
        """Compile the whole pattern."""
        if len(self.pattern) > _MAX_PATTERN or not self.pattern.isascii():
            raise unsure("a long pattern, or one outside ASCII")
        # Unnamed groups have the first numbers, whatever their places.
        unnamed = re.findall(r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^(\\[])|(\()(?!\?)", self.pattern, re.DOTALL)
        self._named_from = sum(map(bool, unnamed)) if not self.options & RegexOptions.ExplicitCapture else 0
        part = self._alternatives()
        if self.place < len(self.pattern):
            raise unsure("a pattern with too many brackets")
        return part

    _named_from: int = 0
    _unnamed: int = 0

    def _peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.place)

    def _take(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self.place += len(text)
        return True

    def _alternatives(self) -> _Part:
        branches = [self._concatenation()]
        while self._take("|"):
            branches.append(self._concatenation())
        if len(branches) == 1:
            return branches[0]
        matches = [branch.match for branch in branches]

        def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
            spend()
            for branch in matches:
                found = branch(text, place, captures, after)
                if found is not None:
                    return found
            return None

        return _Part(match, None, any(branch.may_be_empty for branch in branches))

    def _concatenation(self) -> _Part:
        parts = []
        while self.place < len(self.pattern) and not self._peek("|") and not self._peek(")"):
            parts.append(self._repeated(self._atom()))
        if len(parts) == 1:
            return parts[0]
        whole: Matcher = _nothing
        for part in reversed(parts):
            whole = _then(part.match, whole)
        return _Part(whole, None, all(part.may_be_empty for part in parts))

    def _repeated(self, part: _Part) -> _Part:
        found = re.compile(r"([*+?]|\{(\d{1,4})(?:(,)(\d{0,4}))?\})(\??)").match(self.pattern, self.place)
        if found is None:
            if self._peek("{"):
                raise unsure("a pattern with { that is no quantifier")
            return part
        self.place = found.end()
        if self.place < len(self.pattern) and self.pattern[self.place] in "*+?{":
            raise unsure("a pattern with nested quantifiers")
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[1], (int(found[2] or 0), None))
        if found[2] is not None:
            high = low if found[3] is None else int(found[4]) if found[4] else None
        if low > _MAX_REPEAT or (high is not None and (high > _MAX_REPEAT or high < low)):
            raise unsure("a pattern with such a quantifier")
        if part.characters is not None:
            return _Part(_run_of(part.characters, low, high, lazy=bool(found[5])), None, low == 0)
        if part.may_be_empty:
            raise unsure("a pattern that repeats what may be empty")
        return _Part(_loop(part.match, low, high, lazy=bool(found[5])), None, low == 0)

    def _atom(self) -> _Part:
        character = self.pattern[self.place]
        self.place += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._one_of(self._set())
        if character == ".":
            beyond = _ASCII if self.options & RegexOptions.Singleline else _ASCII - {"\n"}
            return self._one_of(_Characters(beyond, beyond=True))
        if character == "^":
            return self._at_start(multiline=bool(self.options & RegexOptions.Multiline))
        if character == "$":
            return self._at_end(multiline=bool(self.options & RegexOptions.Multiline))
        if character == "\\":
            return self._escape()
        if character in "*+?{":
            raise unsure("a pattern with a quantifier of nothing")
        return self._one_of(self._literal(character))

    def _literal(self, character: str) -> _Characters:
        return _Characters(self._cases(frozenset(character)), beyond=False)

    def _cases(self, characters: frozenset[str]) -> frozenset[str]:
        if not self.options & RegexOptions.IgnoreCase:
            return characters
        return frozenset(case for one in characters for case in (one.lower(), one.upper()))

    def _one_of(self, characters: _Characters) -> _Part:
        def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
            if place < len(text) and text[place] in characters:
                return after(place + 1, captures)
            return None

        return _Part(match, characters)

    def _escape(self) -> _Part:
        if self.place >= len(self.pattern):
            raise unsure("a pattern that ends with a backslash")
        character = self.pattern[self.place]
        if character in "bB":
            self.place += 1
            self.ascii_text = True
            return self._boundary(wanted=character == "b")
        if character in "AzZ":
            self.place += 1
            return self._at_start(multiline=False) if character == "A" else self._very_end(newline=character == "Z")
        if character in "123456789k":
            return self._reference()
        return self._one_of(self._escaped())

    def _escaped(self) -> _Characters:
        """Read what follows a backslash: a class or one character."""
        character = self.pattern[self.place]
        self.place += 1
        if character in _CLASSES:
            self.ascii_text = True
            return _Characters(_CLASSES[character], beyond=False)
        if character in "xu":
            size = 2 if character == "x" else 4
            digits = self.pattern[self.place : self.place + size]
            if not re.fullmatch(rf"[0-9a-fA-F]{{{size}}}", digits) or int(digits, 16) > 127:
                raise unsure("a pattern with this escape")
            self.place += size
            return self._literal(chr(int(digits, 16)))
        if character in _ESCAPES:
            return self._literal(_ESCAPES[character])
        if character.isalnum() or character == "_":
            raise unsure("a pattern with this escape")
        return self._literal(character)

    def _set(self) -> _Characters:
        negated = self._take("^")
        found: frozenset[str] = frozenset()
        first = True
        while True:
            if self.place >= len(self.pattern):
                raise unsure("a pattern with [ that is not closed")
            if self._take("]"):
                if first:
                    raise unsure("a pattern with an empty set")
                break
            first = False
            low = self._member()
            if self._peek("-") and not self._peek("-]") and len(low) == 1:
                self.place += 1
                high = self._member()
                if len(high) != 1 or ord(min(high)) < ord(min(low)):
                    raise unsure("a pattern with such a range")
                low = frozenset(map(chr, range(ord(min(low)), ord(min(high)) + 1)))
            elif self._peek("-") and not self._peek("-]"):
                raise unsure("a pattern with such a range")
            found |= low
        cased = self._cases(found)
        return _Characters(_ASCII - cased, beyond=True) if negated else _Characters(cased, beyond=False)

    def _member(self) -> frozenset[str]:
        if self.place >= len(self.pattern):
            raise unsure("a pattern with [ that is not closed")
        character = self.pattern[self.place]
        if character == "[":
            raise unsure("a pattern with [ within a set")
        self.place += 1
        if character != "\\":
            return frozenset(character)
        if self._take("b"):
            return frozenset("\b")
        return self._escaped().ascii

    def _group(self) -> _Part:
        if not self._take("?"):
            if self.options & RegexOptions.ExplicitCapture:
                return self._closed(None)
            self._unnamed += 1
            self.groups += 1
            return self._closed(self._unnamed)
        if self._take(":"):
            return self._closed(None)
        for sign, wanted in (("=", True), ("!", False)):
            if self._take(sign):
                return self._ahead(self._closed(None), wanted=wanted)
        named = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>").match(self.pattern, self.place)
        if named is None or named[1] in self.names:
            raise unsure("a pattern with such a group")
        self.place = named.end()
        self.groups += 1
        self.names[named[1]] = self._named_from + len(self.names) + 1
        return self._closed(self.names[named[1]])

    def _closed(self, number: int | None) -> _Part:
        inner = self._alternatives()
        if not self._take(")"):
            raise unsure("a pattern with ( that is not closed")
        return inner if number is None else _Part(_captured(inner.match, number), None, inner.may_be_empty)

    def _ahead(self, inner: _Part, *, wanted: bool) -> _Part:
        def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
            found = inner.match(text, place, captures, lambda _, inside: inside)
            if (found is not None) is not wanted:
                return None
            return after(place, found if found is not None else captures)

        return _Part(match, None, may_be_empty=True)

    def _reference(self) -> _Part:
        found = re.compile(r"([1-9])(?![0-9])|k<([A-Za-z0-9_]+)>").match(self.pattern, self.place)
        number = None
        if found is not None:
            number = int(found[1]) if found[1] else self.names.get(found[2])
            self.place = found.end()
        if number is None or number > self.groups or self.options & RegexOptions.IgnoreCase:
            raise unsure("a pattern with such a reference")

        def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
            span = captures[number]
            if span is None:
                return None
            passed(span[1] - span[0])
            if not text.startswith(text[slice(*span)], place):
                return None
            return after(place + span[1] - span[0], captures)

        return _Part(match, None, may_be_empty=True)

    def _anchor(self, test: Callable[[str, int], bool]) -> _Part:
        def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
            return after(place, captures) if test(text, place) else None

        return _Part(match, None, may_be_empty=True)

    def _at_start(self, *, multiline: bool) -> _Part:
        return self._anchor(lambda text, place: place == 0 or (multiline and text[place - 1] == "\n"))

    def _at_end(self, *, multiline: bool) -> _Part:
        if multiline:
            return self._anchor(lambda text, place: place == len(text) or text[place] == "\n")
        return self._very_end(newline=True)

    def _very_end(self, *, newline: bool) -> _Part:
        return self._anchor(
            lambda text, place: place == len(text) or (newline and place == len(text) - 1 and text[place] == "\n")
        )

    def _boundary(self, *, wanted: bool) -> _Part:
        def test(text: str, place: int) -> bool:
            before = place > 0 and text[place - 1] in _WORD
            return (before != (place < len(text) and text[place] in _WORD)) is wanted

        return self._anchor(test)


def _nothing(_text: str, place: int, captures: Captures, after: After) -> Captures | None:
    return after(place, captures)


def _then(first: Matcher, rest: Matcher) -> Matcher:
    if rest is _nothing:
        return first

    def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
        return first(text, place, captures, lambda end, inside: rest(text, end, inside, after))

    return match


def _captured(inner: Matcher, number: int) -> Matcher:
    def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
        def close(end: int, inside: Captures) -> Captures | None:
            return after(end, (*inside[:number], (place, end), *inside[number + 1 :]))

        return inner(text, place, captures, close)

    return match


def _end_of_run(characters: _Characters, text: str, place: int, limit: int) -> int:
    """Find where characters of a set end."""
    end = place
    while end < limit:
        start, stop = end, min(limit, end + _PIECE)
        while end < stop and text[end] in characters:
            end += 1
        spend((end - start) // 16 + 1)
        if end < stop:
            break
    return end


def _run_of(characters: _Characters, low: int, high: int | None, *, lazy: bool) -> Matcher:
    """Repeat one character: no recursion for each."""

    def match(text: str, place: int, captures: Captures, after: After) -> Captures | None:
        limit = len(text) if high is None else min(len(text), place + high)
        end = _end_of_run(characters, text, place, limit)
        first = place + low
        for stop in range(first, end + 1) if lazy else range(end, first - 1, -1):
            spend()
            found = after(stop, captures)
            if found is not None:
                return found
        return None

    return match


def _loop(inner: Matcher, low: int, high: int | None, *, lazy: bool) -> Matcher:
    """Repeat a part that is never empty."""

    def again(text: str, place: int, captures: Captures, after: After, count: int) -> Captures | None:
        spend()

        def more() -> Captures | None:
            if high is not None and count >= high:
                return None
            return inner(text, place, captures, lambda end, inside: again(text, end, inside, after, count + 1))

        if count < low:
            return more()
        if lazy:
            found = after(place, captures)
            return more() if found is None else found
        found = more()
        return after(place, captures) if found is None else found

    return lambda text, place, captures, after: again(text, place, captures, after, 0)
