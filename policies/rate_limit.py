"""`rate-limit`: limits how many calls a subscription may make in a short time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.call_rate import CallRate, check_rate
from policies.limited_scope import LimitedScope, api_element
from policies.policy import ANY_SCOPE, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimitOperation(LimitedScope):
    """An operation with a rate of its own."""

    calls: int
    """Calls allowed in `renewal_period`, at least 1."""
    renewal_period: int
    """Seconds of the window, 1 to 300."""

    def __post_init__(self) -> None:
        """Check the rate."""
        LimitedScope.__post_init__(self)
        check_rate("rate limit operation", self.calls, self.renewal_period)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimitApi(LimitedScope):
    """An API with a rate of its own."""

    calls: int
    """Calls allowed in `renewal_period`, at least 1."""
    renewal_period: int
    """Seconds of the window, 1 to 300."""
    operations: list[RateLimitOperation] = field(default_factory=list)
    """Operations with a rate beside that of the API. Left out: none."""

    def __post_init__(self) -> None:
        """Check the rate."""
        LimitedScope.__post_init__(self)
        check_rate("rate limit api", self.calls, self.renewal_period)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimit(CallRate):
    """Refuses, with 429, the calls of a subscription beyond a rate; calls without a subscription key are not counted.

    Once a section (rate-limit). The schema's headers and variables of an `api` or `operation`, and an `operation`
    outside an `api`, neither of which the reference describes, are `RawElement`'s.
    """

    tag: ClassVar[str] = "rate-limit"
    scopes: ClassVar[frozenset[Scope]] = ANY_SCOPE - {Scope.GLOBAL}
    once: ClassVar[bool] = True

    calls: int
    """Calls allowed in `renewal_period`, at least 1."""
    renewal_period: int
    """Seconds of the sliding window, 1 to 300."""
    apis: list[RateLimitApi] = field(default_factory=list)
    """APIs with a rate beside that of the product. Left out: none."""

    def __post_init__(self) -> None:
        """Check the rate."""
        CallRate.__post_init__(self)
        check_rate(self.tag, self.calls, self.renewal_period)

    def children(self) -> Iterable[ET.Element]:
        """Return the APIs."""
        return [api_element(api, api.operations) for api in self.apis]
