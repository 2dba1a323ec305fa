"""`cache-remove-value`: removes a value from the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.caching_type import CachingType
from policies.checks import check_filled
from policies.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheRemoveValue(TypedPolicy):
    """Removes a value that `CacheStoreValue` keeps (cache-remove-value)."""

    tag: ClassVar[str] = "cache-remove-value"

    key: str
    """Key, normally an expression."""
    caching_type: CachingType | None = None
    """Cache to write. Left out: `prefer-external`."""

    def __post_init__(self) -> None:
        """Check the key."""
        TypedPolicy.__post_init__(self)
        check_filled(f"{self.tag} key", self.key)
