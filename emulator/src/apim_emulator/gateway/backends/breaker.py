"""The circuit breaker of a backend (API Management: "Backends", circuit breaker)."""

from collections import deque
from email.utils import parsedate_to_datetime

from apim_emulator.model import CircuitBreaker

_LONGEST = 86_400.0
"""Seconds for which `Retry-After` may take a backend out of service (inferred: there is a bound)."""
_MAX_CALLS = 10_000
"""Calls that a breaker remembers: older ones than these no longer count towards a percentage."""


class Breaker:
    """Counts the failures of one backend, whoever calls it and through whichever pool.

    A tripped backend gets no calls until its time is over, then all of them: there is no trial call
    (inferred: nothing is documented). Failures are counted in a sliding window (inferred).
    """

    def __init__(self, rule: CircuitBreaker) -> None:
        """Start in service."""
        self._rule = rule
        self._reasons = {reason.lower() for reason in rule.error_reasons}
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._closed_from = 0.0

    def is_tripped(self, now: float) -> bool:
        """Tell whether the backend is out of service."""
        return now < self._closed_from

    def seconds_left(self, now: float) -> float:
        """Return for how long the backend is out of service."""
        return max(0.0, self._closed_from - now)

    def told(self, now: float) -> str:
        """Say in words how it stands."""
        if self.is_tripped(now):
            return f"open, for {self.seconds_left(now):g} s more"
        allowed = f"{self._rule.percentage}%" if self._rule.count is None else str(self._rule.count)
        return f"closed, {self._failures} of the last {len(self._calls)} calls failed, opens at {allowed}"

    def answered(self, now: float, status: int, retry_after: str | None) -> None:
        """Note a response; its `Retry-After` counts only if this is the one that trips the breaker."""
        failed = any(low <= status <= high for low, high in self._rule.status_codes)
        self._note(now, retry_after, failed=failed)

    def failed(self, now: float, reason: str) -> None:
        """Note a call without a response, which is a failure where the rule names its reason, in any case."""
        self._note(now, None, failed=reason.lower() in self._reasons)

    def _note(self, now: float, retry_after: str | None, *, failed: bool) -> None:
        if self.is_tripped(now):
            return
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - self._rule.interval or len(self._calls) > _MAX_CALLS:
            self._failures -= self._calls.popleft()[1]
        if failed and self._is_reached():
            wait = _seconds(retry_after, now) if self._rule.accept_retry_after else None
            self._closed_from = now + (self._rule.trip_duration if wait is None else min(wait, _LONGEST))
            self._calls.clear()
            self._failures = 0

    def _is_reached(self) -> bool:
        if self._rule.count is not None:
            return self._failures >= self._rule.count
        return self._failures * 100 >= (self._rule.percentage or 100) * len(self._calls)


def _seconds(retry_after: str | None, now: float) -> float | None:
    """Read `Retry-After`: seconds or a date; None where it is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
