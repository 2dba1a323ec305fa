"""What `rate-limit` and `rate-limit-by-key` have in common: where they report what is left."""

from dataclasses import dataclass
from typing import ClassVar

from policies.checks import INT_MAX, check_output_names, check_range
from policies.policy import INBOUND_ONLY, Section, TypedPolicy

_LONGEST_PERIOD = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRate(TypedPolicy):
    """A policy that refuses calls over a rate with 429; its counters are each gateway's own, not the service's."""

    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    retry_after_header_name: str | None = None
    """Header of a refusal that tells in how many seconds to try again. Left out: `Retry-After`."""
    retry_after_variable_name: str | None = None
    """Variable that receives the seconds to wait after a refusal. Left out: none does."""
    remaining_calls_header_name: str | None = None
    """Response header that tells how many calls are left in the period. Left out: none does."""
    remaining_calls_variable_name: str | None = None
    """Variable that receives how many calls are left in the period. Left out: none does."""
    total_calls_header_name: str | None = None
    """Response header that repeats `calls`. Left out: none does."""

    def __post_init__(self) -> None:
        """Check the names of headers and variables."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)


def check_rate(what: str, calls: int | str, renewal_period: int | str) -> None:
    """Refuse a rate that no call could meet, or a period that the gateway does not count."""
    check_range(f"{what} calls", calls, 1, INT_MAX)
    check_range(f"{what} renewal_period", renewal_period, 1, _LONGEST_PERIOD, "seconds")
