"""The cache that policies use."""

from enum import StrEnum


class CachingType(StrEnum):
    """Cache in which a value is stored."""

    PREFER_EXTERNAL = "prefer-external"
    """The external cache if there is one, otherwise the gateway's internal cache."""
    INTERNAL = "internal"
    """The gateway's internal cache, which Consumption does not have."""
    EXTERNAL = "external"
    """The service's Redis-compatible cache."""
