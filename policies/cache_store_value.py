"""`cache-store-value`: keeps a value in the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.caching_type import CachingType
from policies.checks import INT_MAX, check_filled, check_range
from policies.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheStoreValue(TypedPolicy):
    """Keeps a value for `CacheLookupValue`; the gateway does not wait until it is stored (cache-store-value)."""

    tag: ClassVar[str] = "cache-store-value"

    key: str
    """Key, normally an expression."""
    value: str
    """Value, or an expression."""
    duration: int | str
    """Seconds for which the value is kept, at least 1, or an expression."""
    caching_type: CachingType | None = None
    """Cache to write. Left out: `prefer-external`."""

    def __post_init__(self) -> None:
        """Check key and duration."""
        TypedPolicy.__post_init__(self)
        check_filled(f"{self.tag} key", self.key)
        check_range(f"{self.tag} duration", self.duration, 1, INT_MAX, "seconds")
