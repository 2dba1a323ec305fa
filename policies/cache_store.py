"""`cache-store`: keeps a response in the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.checks import INT_MAX, check_range
from policies.policy import Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheStore(TypedPolicy):
    """Keeps the response for which `CacheLookup` found none (cache-store)."""

    tag: ClassVar[str] = "cache-store"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.OUTBOUND})
    once: ClassVar[bool] = True

    duration: int | str
    """Seconds for which the response is kept, at least 1, or an expression."""
    cache_response: bool | str | None = None
    """Whether this response is kept, or an expression. Left out: only one with status code 200 is."""
    caching_mode: str | None = None
    """How the response is kept (the schema alone knows this option, and no value of it). Left out: as usual."""

    def __post_init__(self) -> None:
        """Check the duration."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} duration", self.duration, 1, INT_MAX, "seconds")
