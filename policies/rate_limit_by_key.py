"""`rate-limit-by-key`: limits the calls for each value of a key in a short period."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.call_rate import CallRate, check_rate
from policies.shared.checks import INT_MAX, check_not_blank, check_range
from policies.shared.policy import CONSUMPTION


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
    """Key, normally an expression such as `@(context.Request.IpAddress)`; all scopes that use a key share its
    counter."""
    increment_condition: bool | str | None = None
    """Whether a call counts, evaluated once there is a response. Defaults to true."""
    increment_count: int | str | None = None
    """How much a call counts. Defaults to 1."""
    increment_after_response: bool | None = None
    """Whether a call counts only once it is answered. By default only if the condition or the count needs the response
    (inferred; only the schema has this option)."""
    flexible_retry_window: bool | None = None
    """Whether the time to wait after a refusal may be shorter than the rest of the window (inferred; only the schema
    has this option). By default the gateway decides."""

    def __post_init__(self) -> None:
        """Check the rate and the key."""
        CallRate.__post_init__(self)
        check_rate(self.tag, self.calls, self.renewal_period)
        check_not_blank(f"{self.tag} counter_key", self.counter_key)
        check_range(f"{self.tag} increment_count", self.increment_count, 0, INT_MAX)
