"""`cache-lookup`: answers a GET request from the cache."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.caching_type import CachingType
from policies.shared.checks import check_header_name, check_not_blank
from policies.shared.errors import PolicyError
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, text_element

_CREDENTIALS = "authorization"


class DownstreamCachingType(StrEnum):
    """Which caches outside the gateway may store a response."""

    NONE = "none"
    PRIVATE = "private"
    """The caller's own cache."""
    PUBLIC = "public"
    """Caches that callers share, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheLookup(TypedPolicy):
    """Answers a GET request with a response that `CacheStore` cached (cache-lookup)."""

    tag: ClassVar[str] = "cache-lookup"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    vary_by_developer: bool | str
    """Whether a response is for one developer, or an expression."""
    vary_by_developer_groups: bool | str = False
    """Whether a response is for the developers of one group, or an expression."""
    downstream_caching_type: DownstreamCachingType | str | None = None
    """Which other caches may store the response, or an expression. Defaults to none."""
    must_revalidate: bool | str | None = None
    """Whether those caches revalidate a stale response, or an expression. Defaults to true."""
    caching_type: CachingType | None = None
    """Cache to read. Defaults to `prefer-external`."""
    allow_private_response_caching: bool | str | None = None
    """Whether responses to requests with an `Authorization` header are cached too, or an expression. Defaults to
    false."""
    vary_by_header: list[str] = field(default_factory=list)
    """Headers by which cached responses differ. Defaults to none."""
    vary_by_query_parameter: list[str] = field(default_factory=list)
    """Query parameters by which cached responses differ. Defaults to all."""

    def __post_init__(self) -> None:
        """Check the names, and that no caller gets a response for other credentials."""
        TypedPolicy.__post_init__(self)
        for name in self.vary_by_header:
            check_header_name(f"{self.tag} vary_by_header", name)
        for name in self.vary_by_query_parameter:
            check_not_blank(f"{self.tag} vary_by_query_parameter", name)
        if self.allow_private_response_caching not in (None, False) and _CREDENTIALS not in (
            name.lower() for name in self.vary_by_header
        ):
            raise PolicyError(
                f"{self.tag} allow_private_response_caching would return a response to other callers; "
                "add Authorization to vary_by_header"
            )

    def children(self) -> Iterable[ET.Element]:
        """Return what responses vary by."""
        headers = [text_element("vary-by-header", name) for name in self.vary_by_header]
        return [*headers, *(text_element("vary-by-query-parameter", name) for name in self.vary_by_query_parameter)]
