"""How many steps a backtracking matcher needs: what Python's own, written in C, does not tell."""

import re
from collections.abc import Iterator, Sequence
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any


class Counter:
    """Matches as `re` does, and counts; assertions that look around count as one step that succeeds."""

    def __init__(self, text: str, most: int) -> None:
        """Take the text, and where to stop counting."""
        self.text = text
        self.steps = 0
        self.most = most

    def fullmatch(self, tree: Sequence[Any]) -> None:
        """Count what it takes to match everything, or to find out that it does not."""
        for end in self._ends(tree, 0):
            if end == len(self.text):
                return

    def _ends(self, tree: Sequence[Any], place: int) -> Iterator[int]:
        """Give each place where a sequence may end, in the order of a backtracking matcher."""
        stack: list[Iterator[int]] = [iter((place,))]
        while stack:
            self.steps += 1
            if self.steps > self.most:
                return
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
            elif len(stack) > len(tree):
                yield found
            else:
                kind, given = tree[len(stack) - 1]
                stack.append(self._node(kind, given, found))

    def _node(self, kind: Any, given: Any, place: int) -> Iterator[int]:
        if kind in {kinds.MAX_REPEAT, kinds.POSSESSIVE_REPEAT, kinds.MIN_REPEAT}:
            low, high, inner = given
            return self._repeated(kind, low, high, inner, place)
        if kind is kinds.SUBPATTERN:
            return self._ends(given[3], place)
        if kind is kinds.ATOMIC_GROUP:
            return iter([end for end in [next(self._ends(given, place), None)] if end is not None])
        if kind is kinds.BRANCH:
            return (end for branch in given[1] for end in self._ends(branch, place))
        if kind in {kinds.AT, kinds.ASSERT, kinds.ASSERT_NOT, kinds.GROUPREF}:
            return iter((place,))
        return iter((place + 1,)) if self._is_one(kind, given, place) else iter(())

    def _is_one(self, kind: Any, given: Any, place: int) -> bool:
        if place >= len(self.text):
            return False
        code = ord(self.text[place])
        if kind is kinds.LITERAL:
            return bool(code == given)
        if kind is kinds.NOT_LITERAL:
            return bool(code != given)
        if kind is kinds.ANY:
            return True
        negated = given[0][0] is kinds.NEGATE
        return negated != any(_holds(one, value, code) for one, value in given[negated:])

    def _repeated(self, kind: Any, low: int, high: Any, tree: Sequence[Any], place: int) -> Iterator[int]:
        ends = [place]
        while high is kinds.MAXREPEAT or len(ends) <= high:
            found = next(self._ends(tree, ends[-1]), None)
            if found is None or found == ends[-1]:
                break
            ends.append(found)
        kept = ends[low:]
        if kind is kinds.POSSESSIVE_REPEAT:
            return iter(kept[-1:])
        return iter(kept) if kind is kinds.MIN_REPEAT else reversed(kept)


def _holds(kind: Any, value: Any, code: int) -> bool:
    if kind is kinds.LITERAL:
        return bool(code == value)
    if kind is kinds.RANGE:
        return bool(value[0] <= code <= value[1])
    test = {kinds.CATEGORY_DIGIT: str.isdigit, kinds.CATEGORY_SPACE: str.isspace}.get(
        value, lambda one: one.isalnum() or one == "_"
    )
    return test(chr(code))


def steps(pattern: "re.Pattern[str]", text: str, most: int = 1_000_000) -> int:
    """Count the steps of `pattern.fullmatch(text)`, `most` at most."""
    counter = Counter(text, most)
    counter.fullmatch(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    return counter.steps


def hostile(pattern: "re.Pattern[str]", size: int) -> Iterator[str]:
    """Give texts that a pattern nearly takes: each character and pair that it names, repeated, and then none of its."""
    named = sorted({chr(code) for code in _codes(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))})
    for one in named:
        yield one * size + "\x01"
    for one in named[:6]:
        for other in named[:6]:
            yield (one + other) * (size // 2) + "\x01"


def _codes(tree: Any) -> Iterator[int]:
    for kind, given in tree:
        if kind in {kinds.LITERAL, kinds.NOT_LITERAL}:
            yield given
        elif kind is kinds.RANGE:
            yield given[0]
        elif kind is kinds.IN:
            yield from _codes(given)
        elif kind in {kinds.MAX_REPEAT, kinds.POSSESSIVE_REPEAT, kinds.MIN_REPEAT}:
            yield from _codes(given[2])
        elif kind is kinds.SUBPATTERN:
            yield from _codes(given[3])
        elif kind is kinds.ATOMIC_GROUP:
            yield from _codes(given)
        elif kind is kinds.BRANCH:
            for branch in given[1]:
                yield from _codes(branch)
