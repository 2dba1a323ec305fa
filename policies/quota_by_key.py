"""`quota-by-key`: limits the calls or the bandwidth for each value of a key over a longer period, or in total."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from policies.shared.call_quota import check_volume
from policies.shared.checks import INT_MAX, check_not_blank, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import CONSUMPTION, INBOUND_ONLY, V2, Section, TypedPolicy

_SHORTEST_PERIOD = 300
_START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaByKey(TypedPolicy):
    """Refuses, with 403, the calls for a key beyond a quota (quota-by-key).

    Available in the classic tiers and self-hosted gateways only.
    """

    tag: ClassVar[str] = "quota-by-key"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    missing_in: ClassVar[frozenset[str]] = frozenset({CONSUMPTION, V2})

    calls: int | None = None
    """Calls allowed in a period, at least 1. By default only `bandwidth` is limited."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. By default only `calls` are limited."""
    renewal_period: int
    """Seconds of a period, at least 300; 0 for a quota that is never renewed."""
    first_period_start: str | None = None
    """Start of the first period in UTC, as `2026-01-31T00:00:00Z`. Defaults to `0001-01-01T00:00:00Z`."""
    counter_key: str
    """Key, normally an expression such as `@(context.Subscription.Id)`; all scopes that use a key share its counter."""
    increment_condition: bool | str | None = None
    """Whether a call counts, evaluated once there is a response. Defaults to true."""
    increment_count: int | str | None = None
    """How much a call counts. Defaults to 1."""

    def __post_init__(self) -> None:
        """Check that there is a quota, a period and a key."""
        TypedPolicy.__post_init__(self)
        check_volume(self.tag, self.calls, self.bandwidth)
        if self.renewal_period != 0 and not _SHORTEST_PERIOD <= self.renewal_period <= INT_MAX:
            raise PolicyError(
                f"{self.tag} renewal_period {self.renewal_period} is not allowed; "
                f"use {_SHORTEST_PERIOD} to {INT_MAX} seconds, or 0 for a quota that is never renewed"
            )
        if self.first_period_start is not None and not _is_start(self.first_period_start):
            raise PolicyError(
                f"{self.tag} first_period_start {self.first_period_start!r} is not a time in UTC; "
                "write it as 2026-01-31T00:00:00Z"
            )
        check_not_blank(f"{self.tag} counter_key", self.counter_key)
        check_range(f"{self.tag} increment_count", self.increment_count, 0, INT_MAX)


def _is_start(text: str) -> bool:
    try:
        return bool(_START.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False
