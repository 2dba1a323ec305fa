"""`cache-lookup-value`: reads a value from the cache."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.caching_type import CachingType
from policies.shared.checks import check_not_blank, check_output_names
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheLookupValue(TypedPolicy):
    """Reads a value that `CacheStoreValue` cached into a variable (cache-lookup-value)."""

    tag: ClassVar[str] = "cache-lookup-value"

    key: str
    """Key, normally an expression."""
    variable_name: str
    """Variable that receives the value; it is not set if there is neither a value nor a default."""
    default_value: str | None = None
    """Value, or expression, for a key that is not in the cache. By default the variable is then not set."""
    caching_type: CachingType | None = None
    """Cache to read. Defaults to `prefer-external`."""

    def __post_init__(self) -> None:
        """Check key and variable."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} key", self.key)
        check_output_names(self)
