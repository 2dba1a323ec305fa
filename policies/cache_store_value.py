"""`cache-store-value`: stores a value in the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.caching_type import CachingType
from policies.shared.checks import INT_MAX, check_not_blank, check_range
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheStoreValue(TypedPolicy):
    """Stores a value for `CacheLookupValue`; the gateway does not wait until it is stored (cache-store-value)."""

    tag: ClassVar[str] = "cache-store-value"

    key: str
    """Key, normally an expression."""
    value: str
    """Value, or an expression."""
    duration: int | str
    """Seconds for which the value is cached, at least 1, or an expression."""
    caching_type: CachingType | None = None
    """Cache to write. Defaults to `prefer-external`."""

    def __post_init__(self) -> None:
        """Check key and duration."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} key", self.key)
        check_range(f"{self.tag} duration", self.duration, 1, INT_MAX, "seconds")
