"""The gateway's cache of values: bounded in entries and in size, with expiry by the clock."""

from copy import deepcopy
from dataclasses import dataclass

from cachetools import TLRUCache

from apim_emulator.clock import Clock

MAX_ENTRIES = 10_000
MAX_SIZE = 64 * 1024 * 1024
"""Largest sum of the texts in the cache, in characters."""
MAX_VALUE = 2 * 1024 * 1024
"""Longest text in the cache, in characters."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: object
    expires: float
    size: int


class ValueCache:
    """Values by key; the least recently used ones leave when it is full.

    Stands in for both the built-in cache and an external one. A caller gets copies: nothing it does to a value changes
    what is stored.
    """

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            MAX_SIZE, lambda _key, entry, _now: entry.expires, clock.now, lambda entry: entry.size
        )

    def __len__(self) -> int:
        return len(self._entries)

    def lookup(self, key: str) -> tuple[bool, object]:
        """Tell whether there is a value, and the value."""
        entry = self._entries.get(key)
        return (False, None) if entry is None else (True, deepcopy(entry.value))

    def store(self, key: str, value: object, seconds: float) -> None:
        """Keep a value for a time; one that is too large is not kept, as a cache may."""
        self.remove(key)
        size = len(key) + (len(value) if isinstance(value, str | bytes) else len(repr(value)))
        if size > MAX_VALUE:
            return
        self._entries[key] = _Entry(deepcopy(value), self._clock.now() + seconds, size)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem()

    def remove(self, key: str) -> bool:
        """Forget a value; tells whether there was one."""
        return self._entries.pop(key, None) is not None
