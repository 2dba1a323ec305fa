"""`quota`: limits the calls or the bandwidth of a subscription over a longer period, or in total."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.call_quota import check_volume
from policies.shared.checks import INT_MAX, check_range
from policies.shared.limited_scope import LimitedScope, api_element
from policies.shared.policy import INBOUND_ONLY, Scope, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaOperation(LimitedScope):
    """An operation with a quota of its own, renewed with that of the product."""

    calls: int | None = None
    """Calls allowed in a period, at least 1. By default only `bandwidth` is limited."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. By default only `calls` are limited."""

    def __post_init__(self) -> None:
        """Check that there is a quota."""
        LimitedScope.__post_init__(self)
        check_volume("quota operation", self.calls, self.bandwidth)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaApi(LimitedScope):
    """An API with a quota of its own, renewed with that of the product."""

    calls: int | None = None
    """Calls allowed in a period, at least 1. By default only `bandwidth` is limited."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. By default only `calls` are limited."""
    operations: list[QuotaOperation] = field(default_factory=list)
    """Operations with a quota in addition to that of the API. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that there is a quota."""
        LimitedScope.__post_init__(self)
        check_volume("quota api", self.calls, self.bandwidth)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota(TypedPolicy):
    """Refuses, with 403, the calls of a subscription beyond a quota; calls without a subscription key are not counted.

    Allowed at product scope, once a section (quota). The reference's `renewal-period` of an `api` or `operation` is not
    offered, since the schema does not have it.
    """

    tag: ClassVar[str] = "quota"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.PRODUCT})
    once: ClassVar[bool] = True

    calls: int | None = None
    """Calls allowed in a period, at least 1. By default only `bandwidth` is limited."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. By default only `calls` are limited."""
    renewal_period: int
    """Seconds of a period, the first of which starts with the subscription; 0 for a quota that is never renewed."""
    apis: list[QuotaApi] = field(default_factory=list)
    """APIs with a quota in addition to that of the product. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that there is a quota and a period."""
        TypedPolicy.__post_init__(self)
        check_volume(self.tag, self.calls, self.bandwidth)
        check_range(f"{self.tag} renewal_period", self.renewal_period, 0, INT_MAX, "seconds")

    def children(self) -> Iterable[ET.Element]:
        """Return the APIs."""
        return [api_element(api, api.operations) for api in self.apis]
