"""`rate-limit-by-key`: limits how many calls may be made in a short time for each value of a key."""

from dataclasses import dataclass
from typing import ClassVar

from policies.call_rate import CallRate, check_rate
from policies.checks import INT_MAX, check_filled, check_range
from policies.policy import CONSUMPTION


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimitByKey(CallRate):
    """Refuses, with 429, the calls for a key beyond a rate (rate-limit-by-key); not available in Consumption."""

    tag: ClassVar[str] = "rate-limit-by-key"
    missing_in: ClassVar[frozenset[str]] = frozenset({CONSUMPTION})

    calls: int | str
    """Calls allowed in `renewal_period`, at least 1, or an expression."""
    renewal_period: int | str
    """Seconds of the sliding window, 1 to 300, or an expression."""
    counter_key: str
    """Key, normally an expression such as `@(context.Request.IpAddress)`; every scope that uses a key counts on it."""
    increment_condition: bool | str | None = None
    """Whether a call counts, known once there is a response. Left out: every call counts."""
    increment_count: int | str | None = None
    """By how much a call counts. Left out: 1."""
    increment_after_response: bool | None = None
    """Whether a call counts only once it is answered. Left out: only where the condition or the count needs the
    response (inferred; the schema alone knows this option)."""
    flexible_retry_window: bool | None = None
    """Whether a refusal's time to wait may be shorter than the rest of the window (inferred; the schema alone knows
    this option). Left out: as the gateway decides."""

    def __post_init__(self) -> None:
        """Check the rate and the key."""
        CallRate.__post_init__(self)
        check_rate(self.tag, self.calls, self.renewal_period)
        check_filled(f"{self.tag} counter_key", self.counter_key)
        check_range(f"{self.tag} increment_count", self.increment_count, 0, INT_MAX)
