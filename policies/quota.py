"""`quota`: limits how much a subscription may call in a long time or altogether."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.call_quota import check_volume
from policies.checks import INT_MAX, check_range
from policies.limited_scope import LimitedScope, api_element
from policies.policy import INBOUND_ONLY, Scope, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaOperation(LimitedScope):
    """An operation with a quota of its own, renewed with that of the product."""

    calls: int | None = None
    """Calls allowed in a period, at least 1. Left out: `bandwidth` alone counts."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. Left out: `calls` alone count."""

    def __post_init__(self) -> None:
        """Check that there is a quota."""
        LimitedScope.__post_init__(self)
        check_volume("quota operation", self.calls, self.bandwidth)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaApi(LimitedScope):
    """An API with a quota of its own, renewed with that of the product."""

    calls: int | None = None
    """Calls allowed in a period, at least 1. Left out: `bandwidth` alone counts."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. Left out: `calls` alone count."""
    operations: list[QuotaOperation] = field(default_factory=list)
    """Operations with a quota beside that of the API. Left out: none."""

    def __post_init__(self) -> None:
        """Check that there is a quota."""
        LimitedScope.__post_init__(self)
        check_volume("quota api", self.calls, self.bandwidth)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota(TypedPolicy):
    """Refuses, with 403, the calls of a subscription beyond a quota; calls without a subscription key are not counted.

    For the product scope, once a section (quota). Not offered: the reference's `renewal-period` of an `api` or
    `operation`, which the schema does not know.
    """

    tag: ClassVar[str] = "quota"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.PRODUCT})
    once: ClassVar[bool] = True

    calls: int | None = None
    """Calls allowed in a period, at least 1. Left out: `bandwidth` alone counts."""
    bandwidth: int | None = None
    """Kilobytes allowed in a period, at least 1. Left out: `calls` alone count."""
    renewal_period: int
    """Seconds of a period, the first of which starts with the subscription; 0 for a quota that is never renewed."""
    apis: list[QuotaApi] = field(default_factory=list)
    """APIs with a quota beside that of the product. Left out: none."""

    def __post_init__(self) -> None:
        """Check that there is a quota and a period."""
        TypedPolicy.__post_init__(self)
        check_volume(self.tag, self.calls, self.bandwidth)
        check_range(f"{self.tag} renewal_period", self.renewal_period, 0, INT_MAX, "seconds")

    def children(self) -> Iterable[ET.Element]:
        """Return the APIs."""
        return [api_element(api, api.operations) for api in self.apis]
