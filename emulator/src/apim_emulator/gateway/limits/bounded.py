"""A store that cannot grow without end."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_MAX_KEYS = 100_000
_LONGEST_NAME = 128

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def short(name: str) -> str:
    """Name a counter by the digest of a name that is long: callers may choose it, and every one is kept."""
    if len(name) <= _LONGEST_NAME:
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


class Bounded(Generic[K, V]):
    """Values made on first use; when it is full, the one that was not used for longest goes."""

    def __init__(self, make: Callable[[], V], size: int = _MAX_KEYS) -> None:
        """Hold up to `size` values."""
        self._make = make
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of values held."""
        return len(self._values)

    def get(self, key: K) -> V:
        """Return the value of a key."""
        value = self._values.get(key)
        if value is None:
            if len(self._values) >= self._size:
                self._values.popitem(last=False)
            value = self._values[key] = self._make()
        else:
            self._values.move_to_end(key)
        return value
