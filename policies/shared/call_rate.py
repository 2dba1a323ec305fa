"""What `rate-limit` and `rate-limit-by-key` share: the headers and variables that report the remaining calls."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import INT_MAX, check_output_names, check_range
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy

_LONGEST_PERIOD = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRate(TypedPolicy):
    """A policy that refuses calls beyond a rate with 429; each gateway of the service counts for itself."""

    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    retry_after_header_name: str | None = None
    """Header of a refusal with the seconds after which to retry. Defaults to `Retry-After`."""
    retry_after_variable_name: str | None = None
    """Variable that receives the seconds to wait after a refusal. Defaults to none."""
    remaining_calls_header_name: str | None = None
    """Response header with the number of calls left in the period. Defaults to none."""
    remaining_calls_variable_name: str | None = None
    """Variable that receives the number of calls left in the period. Defaults to none."""
    total_calls_header_name: str | None = None
    """Response header that repeats `calls`. Defaults to none."""

    def __post_init__(self) -> None:
        """Check the names of headers and variables."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)


def check_rate(what: str, calls: int | str, renewal_period: int | str) -> None:
    """Refuse a rate that allows no call, and a period that the gateway does not support."""
    check_range(f"{what} calls", calls, 1, INT_MAX)
    check_range(f"{what} renewal_period", renewal_period, 1, _LONGEST_PERIOD, "seconds")
