"""Quotas: fixed windows of time, and how their end is told."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Window = tuple[float, float | None]
"""Start of a window and its end (Unix seconds); None: it never ends."""

WindowOf = Callable[[float], Window]
"""Which window a moment is in."""


class QuotaCounter:
    """Amounts of the current window, by what is counted: calls, bytes, tokens."""

    def __init__(self) -> None:
        """Start empty."""
        self._window: float | None = None
        self._amounts: dict[str, int] = {}

    def used(self, what: str, window: Window) -> int:
        """Return the amount counted in a window."""
        return self._amounts.get(what, 0) if self._window == window[0] else 0

    def add(self, what: str, amount: int, window: Window) -> None:
        """Count an amount."""
        if self._window != window[0]:
            self._window, self._amounts = window[0], {}
        self._amounts[what] = self._amounts.get(what, 0) + amount


def every(seconds: int, start: float) -> WindowOf:
    """Windows of equal length, counted from a start; 0 seconds: one window for ever."""

    def window(now: float) -> Window:
        if not seconds:
            return start, None
        begin = start + math.floor((now - start) / seconds) * seconds
        return begin, begin + seconds

    return window


def calendar(period: str) -> WindowOf:
    """Windows of the calendar in UTC: `Hourly`, `Daily`, `Weekly` (from Monday), `Monthly`, `Yearly`, `Indefinite`."""

    def window(now: float) -> Window:
        if period == "Indefinite":
            return 0.0, None
        hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        match period:
            case "Hourly":
                begin, end = hour, hour + timedelta(hours=1)
            case "Daily":
                begin, end = day, day + timedelta(days=1)
            case "Weekly":
                begin = day - timedelta(days=day.weekday())
                end = begin + timedelta(weeks=1)
            case "Monthly":
                begin = day.replace(day=1)
                end = (begin + timedelta(days=32)).replace(day=1)
            case _:
                begin = day.replace(month=1, day=1)
                end = begin.replace(year=begin.year + 1)
        return begin.timestamp(), end.timestamp()

    return window


def seconds_left(window: Window, now: float) -> int | None:
    """Return the whole seconds until a window ends, at least 1; None: it never ends."""
    return None if window[1] is None else max(1, math.ceil(round(window[1] - now, 3)))


def clock_time(seconds: int) -> str:
    """Write a duration as `hh:mm:ss`, or `d.hh:mm:ss` from a day on."""
    days, rest = divmod(seconds, 86_400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{text}" if days else text


def in_words(seconds: int) -> str:
    """Write a duration as `21 minutes and 33 seconds` (inferred: more than two units)."""
    days, rest = divmod(seconds, 86_400)
    amounts = (days, rest // 3600, rest // 60 % 60, rest % 60)
    units = ("day", "hour", "minute", "second")
    parts = [
        f"{amount} {unit}{'' if amount == 1 else 's'}" for amount, unit in zip(amounts, units, strict=True) if amount
    ]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
