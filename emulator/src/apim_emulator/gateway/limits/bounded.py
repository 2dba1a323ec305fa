"""A store that cannot grow without end."""

import hashlib
from collections.abc import Callable, Hashable
from typing import TypeVar

from cachetools import LRUCache

_MAX_KEYS = 100_000
_LONGEST_NAME = 128

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def short(name: str) -> str:
    """Name a counter by the digest of a name that is long: callers may choose it, and every one is kept."""
    if len(name) <= _LONGEST_NAME:
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def known_as(key: tuple[object, ...]) -> str | None:
    """Return the part of a counter's key that people know: a subscription, or what an expression gave."""
    return next((part for part in reversed(key) if isinstance(part, str)), None)


class Bounded(LRUCache[K, V]):
    """Values made on first use; when it is full, the one that was not used for longest goes."""

    def __init__(self, make: Callable[[], V], size: int = _MAX_KEYS) -> None:
        """Hold up to `size` values."""
        super().__init__(size)
        self._make = make

    def __missing__(self, key: K) -> V:
        """Make the value of a key that has none."""
        value = self[key] = self._make()
        return value
