"""The bounds of one evaluation: steps, time and the size of what it makes; and when it lets others have a turn."""

import re
import time
from asyncio import Semaphore
from collections.abc import Callable, Iterable
from typing import AnyStr, ParamSpec, TypeVar

from apim_emulator.csharp.runtime import turns
from apim_emulator.csharp.runtime.exceptions import EvaluationError, StoppedError

P = ParamSpec("P")
T = TypeVar("T")

TURN = 500
"""Steps that an evaluation takes without a pause, mostly below a millisecond; then all else has its turn."""
SHORT = 20 * TURN
"""Steps that an evaluation takes, in turns, before it waits for a place among the long ones."""
MAX_STEPS = 1_000_000
"""Most steps: rounds of loops, calls of functions, elements of sequences, and what passes in C take the time of."""
MAX_SECONDS = 2.0
"""Longest evaluation, in seconds of processor time without its pauses; looked at when a turn ends."""
MAX_LENGTH = 1_048_576
"""Longest string that an expression may make, in characters, and most elements of an array or a list."""
MAX_TOTAL = 64 * MAX_LENGTH
"""Most characters that one evaluation may make in all."""
_A_STEP = 64
"""Characters that C reads in about the time of a step."""
_AN_ELEMENT = 8
"""Characters that take the memory of a reference."""


class _Meter:
    """What an evaluation has used so far."""

    __slots__ = ("end", "match_end", "places", "size", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.size = 0
        self.end: float | None = None
        self.places: Semaphore | None = None
        self.match_end = MAX_STEPS


_METER = _Meter()
"""That of the evaluation under way; those that pause keep theirs aside."""


def evaluated(run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run an evaluation within the bounds; raises `StoppedError` beyond them."""
    global _METER  # noqa: PLW0603 - handing it to every operation costs more than all that it counts
    meter = _METER = _Meter()
    try:
        return run(*args, **kwargs)
    except EvaluationError as error:
        # What it has made goes at once, and not when the collector finds the frames of the traceback.
        error.__context__ = None
        raise error.with_traceback(None)  # noqa: B904 - it is the same one
    finally:
        if meter.places is not None:
            meter.places.release()


def spend(steps: int = 1) -> None:
    """Count steps; raises `StoppedError` beyond a bound."""
    used = _METER.steps
    _METER.steps = used + steps
    if used // TURN != _METER.steps // TURN:
        _end_turn()


def _end_turn() -> None:
    global _METER  # noqa: PLW0603 - the others' evaluations put theirs there
    meter = _METER
    if meter.steps > MAX_STEPS:
        raise StoppedError("TimeoutException", f"more than {MAX_STEPS} steps")
    if meter.steps > meter.match_end:
        raise EvaluationError("RegexMatchTimeoutException")
    now = time.thread_time()
    if meter.end is None:
        meter.end = now + MAX_SECONDS
    elif now > meter.end:
        raise StoppedError("TimeoutException", f"longer than {MAX_SECONDS} seconds")
    try:
        if turns.may_pause():
            if meter.places is None and (meter.steps > SHORT or meter.size > MAX_LENGTH):
                meter.places = turns.place()
            turns.pause()
            meter.end += time.thread_time() - now
    finally:
        _METER = meter


def matched_within(steps: int, match: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Search for a match; raises `RegexMatchTimeoutException` when it takes more steps."""
    meter = _METER
    meter.match_end = meter.steps + steps
    try:
        return match(*args, **kwargs)
    finally:
        meter.match_end = MAX_STEPS


def passed(size: int) -> None:
    """Count a pass over so many characters, before C makes it; raises `StoppedError` beyond a bound."""
    if size >= _A_STEP:
        spend(size // _A_STEP)


def made(size: int) -> None:
    """Count the size of something new; raises `StoppedError` beyond a bound."""
    _METER.size += size
    if size > MAX_LENGTH or _METER.size > MAX_TOTAL:
        raise StoppedError("InsufficientMemoryException", f"a value larger than {MAX_LENGTH}, or too many of them")


def bounded(text: str) -> str:
    """Return a new string, unless it is too long to go on with."""
    made(len(text))
    return text


def compared(value: object) -> None:
    """Count the comparison of a value with an equal one, which passes over a text."""
    if type(value) is str:
        passed(len(value))


def replaced(pattern: "re.Pattern[AnyStr]", make: "Callable[[re.Match[AnyStr]], AnyStr]", text: AnyStr) -> AnyStr:
    """Replace what a pattern matches; every match is a step."""

    def counted(found: "re.Match[AnyStr]") -> AnyStr:
        spend()
        return make(found)

    return pattern.sub(counted, text)


def joined(parts: Iterable[str], separator: str = "") -> str:
    """Join texts, unless the result would be too long to go on with."""
    found = list(parts)
    made(sum(map(len, found)) + len(separator) * len(found))
    return separator.join(found)


def elements(count: int, each: int = _AN_ELEMENT) -> None:
    """Count the elements of something new, `each` as so many characters; raises `StoppedError` beyond a bound."""
    if count > MAX_LENGTH:
        made(count)
    passed(count)
    _METER.size += (each - 1) * count
    made(count)
