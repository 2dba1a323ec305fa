"""Which cache holds a value."""

from enum import StrEnum


class CachingType(StrEnum):
    """Cache that holds a value."""

    PREFER_EXTERNAL = "prefer-external"
    """The external cache where there is one, the gateway's own otherwise."""
    INTERNAL = "internal"
    """The gateway's own; Consumption has none."""
    EXTERNAL = "external"
    """The Redis-compatible cache of the service."""
