"""Counters of one gateway; nothing is shared with another gateway or kept when a gateway is loaded anew."""

from apim_emulator.gateway.limits.bounded import Bounded, known_as, short
from apim_emulator.gateway.limits.quota_counter import QuotaCounter
from apim_emulator.gateway.limits.rate_counter import RateCounter, RollingWindow, TokenBucket

__all__ = ["Counters", "QuotaCounter", "RateCounter", "is_v2", "known_as", "short"]


def is_v2(sku: str) -> bool:
    """Tell a v2 tier, whose rate limits are token buckets; every other tier has rolling windows."""
    return sku.lower().endswith("v2")


class Counters:
    """Rate and quota counters by key."""

    def __init__(self, sku: str, started: float) -> None:
        """Count as the tier does, from a moment on (Unix seconds)."""
        self.started = started
        kind = TokenBucket if is_v2(sku) else RollingWindow
        self.rates: Bounded[tuple[object, ...], RateCounter] = Bounded(kind)
        self.quotas: Bounded[tuple[object, ...], QuotaCounter] = Bounded(QuotaCounter)
