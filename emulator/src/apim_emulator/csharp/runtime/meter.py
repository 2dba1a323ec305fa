"""The bounds of one evaluation: steps, time and the size of what it makes."""

import time
from collections.abc import Iterable

from apim_emulator.csharp.runtime.exceptions import StoppedError

MAX_STEPS = 1_000_000
"""Most rounds of loops, calls of functions and elements of sequences."""
MAX_SECONDS = 2.0
"""Longest evaluation, in seconds of real time; looked at every thousand steps."""
MAX_LENGTH = 1_048_576
"""Longest string that an expression may make, in characters."""
MAX_TOTAL = 64 * MAX_LENGTH
"""Most characters that one evaluation may make in all; an element counts as four."""
_A_STEP = 64
"""Characters that C reads in about the time of a step."""


class _Meter:
    """What the evaluation under way has used so far; one runs at a time."""

    __slots__ = ("end", "size", "steps")
    steps: int
    size: int
    end: float | None


_METER = _Meter()


def reset() -> None:
    """Start an evaluation."""
    _METER.steps = _METER.size = 0
    _METER.end = None


reset()


def spend(steps: int = 1) -> None:
    """Count steps; raises `StoppedError` beyond a bound."""
    used = _METER.steps
    _METER.steps = used + steps
    if used // 1000 == _METER.steps // 1000:
        return
    if _METER.steps > MAX_STEPS:
        raise StoppedError("TimeoutException", f"more than {MAX_STEPS} steps")
    now = time.monotonic()
    if _METER.end is None:
        _METER.end = now + MAX_SECONDS
    elif now > _METER.end:
        raise StoppedError("TimeoutException", f"longer than {MAX_SECONDS} seconds")


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


def joined(parts: Iterable[str], separator: str = "") -> str:
    """Join texts, unless the result would be too long to go on with."""
    found = list(parts)
    made(sum(map(len, found)) + len(separator) * len(found))
    return separator.join(found)
