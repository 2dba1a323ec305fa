"""`cache-remove-value`: removes a value from the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.caching_type import CachingType
from policies.shared.checks import check_not_blank
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheRemoveValue(TypedPolicy):
    """Removes a value that `CacheStoreValue` cached (cache-remove-value)."""

    tag: ClassVar[str] = "cache-remove-value"

    key: str
    """Key, normally an expression."""
    caching_type: CachingType | None = None
    """Cache to write. Defaults to `prefer-external`."""

    def __post_init__(self) -> None:
        """Check the key."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} key", self.key)
