"""`rate-limit`: limits the calls of a subscription in a short period."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.call_rate import CallRate, check_rate
from policies.shared.limited_scope import LimitedScope, api_element
from policies.shared.policy import ANY_SCOPE, Scope


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
    """Operations with a rate limit in addition to that of the API. Defaults to none."""

    def __post_init__(self) -> None:
        """Check the rate."""
        LimitedScope.__post_init__(self)
        check_rate("rate limit api", self.calls, self.renewal_period)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimit(CallRate):
    """Refuses, with 429, the calls of a subscription beyond a rate; calls without a subscription key are not counted.

    Allowed once a section (rate-limit). Use `RawElement` for the schema's headers and variables of an `api` or
    `operation`, and for an `operation` outside an `api`, neither of which the reference describes.
    """

    tag: ClassVar[str] = "rate-limit"
    scopes: ClassVar[frozenset[Scope]] = ANY_SCOPE - {Scope.GLOBAL}
    once: ClassVar[bool] = True

    calls: int
    """Calls allowed in `renewal_period`, at least 1."""
    renewal_period: int
    """Seconds of the sliding window, 1 to 300."""
    apis: list[RateLimitApi] = field(default_factory=list)
    """APIs with a rate limit in addition to that of the product. Defaults to none."""

    def __post_init__(self) -> None:
        """Check the rate."""
        CallRate.__post_init__(self)
        check_rate(self.tag, self.calls, self.renewal_period)

    def children(self) -> Iterable[ET.Element]:
        """Return the APIs."""
        return [api_element(api, api.operations) for api in self.apis]
