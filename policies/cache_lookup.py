"""`cache-lookup`: answers a GET request with a response of the cache."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.caching_type import CachingType
from policies.checks import check_filled, check_header_name
from policies.errors import PolicyError
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, text_element

_CREDENTIALS = "authorization"


class DownstreamCachingType(StrEnum):
    """Which caches outside the gateway may keep a response."""

    NONE = "none"
    PRIVATE = "private"
    """The caller's own."""
    PUBLIC = "public"
    """Those that callers share, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheLookup(TypedPolicy):
    """Answers a GET request with a response that `CacheStore` keeps (cache-lookup)."""

    tag: ClassVar[str] = "cache-lookup"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    vary_by_developer: bool | str
    """Whether a response is for one developer, or an expression."""
    vary_by_developer_groups: bool | str = False
    """Whether a response is for the developers of one group, or an expression."""
    downstream_caching_type: DownstreamCachingType | str | None = None
    """Which other caches may keep the response, or an expression. Left out: none."""
    must_revalidate: bool | str | None = None
    """Whether those caches ask again once the response is old, or an expression. Left out: they do."""
    caching_type: CachingType | None = None
    """Cache to read. Left out: `prefer-external`."""
    allow_private_response_caching: bool | str | None = None
    """Whether requests with an `Authorization` header count too, or an expression. Left out: they do not."""
    vary_by_header: list[str] = field(default_factory=list)
    """Headers for whose values there are responses of their own. Left out: none."""
    vary_by_query_parameter: list[str] = field(default_factory=list)
    """Query parameters for whose values there are responses of their own. Left out: all."""

    def __post_init__(self) -> None:
        """Check the names, and that nobody gets a response for another's credentials."""
        TypedPolicy.__post_init__(self)
        for name in self.vary_by_header:
            check_header_name(f"{self.tag} vary_by_header", name)
        for name in self.vary_by_query_parameter:
            check_filled(f"{self.tag} vary_by_query_parameter", name)
        if self.allow_private_response_caching not in (None, False) and _CREDENTIALS not in (
            name.lower() for name in self.vary_by_header
        ):
            raise PolicyError(
                f"{self.tag} allow_private_response_caching would give a response to other callers; "
                "add Authorization to vary_by_header"
            )

    def children(self) -> Iterable[ET.Element]:
        """Return what responses vary by."""
        headers = [text_element("vary-by-header", name) for name in self.vary_by_header]
        return [*headers, *(text_element("vary-by-query-parameter", name) for name in self.vary_by_query_parameter)]
