"""`cache-store`: stores a response in the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import INT_MAX, check_range
from policies.shared.policy import Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheStore(TypedPolicy):
    """Stores the response to a request for which `CacheLookup` found none (cache-store)."""

    tag: ClassVar[str] = "cache-store"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.OUTBOUND})
    once: ClassVar[bool] = True

    duration: int | str
    """Seconds for which the response is cached, at least 1, or an expression."""
    cache_response: bool | str | None = None
    """Whether this response is cached, or an expression. By default only responses with status code 200 are."""
    caching_mode: str | None = None
    """How the response is cached (only the schema has this option, without its values)."""

    def __post_init__(self) -> None:
        """Check the duration."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} duration", self.duration, 1, INT_MAX, "seconds")
