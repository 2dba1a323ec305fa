"""`cache-lookup`: answers a GET request with a response of the cache."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.caching_type import CachingType
from policies.checks import check_filled, check_header_name
from policies.errors import PolicyError
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, text_element

_CREDENTIALS = "authorization"


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheLookup(TypedPolicy):
    """Answers a GET request with a response that `CacheStore` keeps (cache-lookup).

    Not offered: `vary-by-developer-groups`, which is false, and `downstream-caching-type` with `must-revalidate`, which
    let caches outside the gateway keep responses.
    """

    tag: ClassVar[str] = "cache-lookup"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    vary_by_developer: bool | str
    """Whether a response is for one developer, or an expression."""
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

    def element(self) -> ET.Element:
        """Return the policy as XML."""
        element = TypedPolicy.element(self)
        element.set("vary-by-developer-groups", "false")
        return element

    def children(self) -> Iterable[ET.Element]:
        """Return what responses vary by."""
        headers = [text_element("vary-by-header", name) for name in self.vary_by_header]
        return [*headers, *(text_element("vary-by-query-parameter", name) for name in self.vary_by_query_parameter)]
