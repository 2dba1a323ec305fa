"""Rates: how much of a limit is used, and how long until there is room again."""

import math
from collections import deque
from typing import Protocol


class RateCounter(Protocol):
    """Counts calls or tokens against a limit per period; the limit may differ from call to call."""

    def used(self, now: float, limit: float, period: float) -> float:
        """Return how much of the limit is used up."""

    def add(self, amount: float, now: float, limit: float, period: float) -> None:
        """Count an amount; it may go over the limit."""

    def wait(self, allowed: float, now: float, limit: float, period: float) -> int:
        """Return the whole seconds until no more than `allowed` is used up, at least 1."""


class RollingWindow:
    """What was counted in the last period (classic tiers: sliding window)."""

    _SLICES = 1000
    """Amounts that follow within a thousandth of the period share an entry, which bounds the memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: deque[tuple[float, float]] = deque()

    def used(self, now: float, limit: float, period: float) -> float:
        """Return the sum of the window."""
        del limit
        while self._entries and now - self._entries[0][0] >= period:
            self._entries.popleft()
        return sum(amount for _, amount in self._entries)

    def add(self, amount: float, now: float, limit: float, period: float) -> None:
        """Add to the window's newest end."""
        self.used(now, limit, period)
        if self._entries and now - self._entries[-1][0] < period / self._SLICES:
            moment, before = self._entries.pop()
            self._entries.append((moment, before + amount))
        else:
            self._entries.append((now, amount))

    def wait(self, allowed: float, now: float, limit: float, period: float) -> int:
        """Return when enough of the oldest entries have left the window."""
        used = self.used(now, limit, period)
        for moment, amount in self._entries:
            used -= amount
            if used <= allowed:
                return _seconds(moment + period - now)
        return _seconds(period)


class TokenBucket:
    """A debt that is paid back evenly (v2 tiers: token bucket); a single call may run up any debt."""

    def __init__(self) -> None:
        """Start without debt."""
        self._used = 0.0
        self._at = 0.0

    def used(self, now: float, limit: float, period: float) -> float:
        """Return the debt; the whole limit is paid back in one period."""
        # Rounded, so that a debt that is paid back to the second is not missed by a rounding error.
        return max(0.0, round(self._used - (now - self._at) * limit / period, 6))

    def add(self, amount: float, now: float, limit: float, period: float) -> None:
        """Add to the debt."""
        self._used = self.used(now, limit, period) + amount
        self._at = now

    def wait(self, allowed: float, now: float, limit: float, period: float) -> int:
        """Return when enough is paid back."""
        return _seconds((self.used(now, limit, period) - allowed) * period / limit) if limit else _seconds(period)


def _seconds(exact: float) -> int:
    return max(1, math.ceil(round(exact, 3)))
