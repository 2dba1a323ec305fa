"""The gateway's semantic cache: responses by the meaning of their prompts."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import mul

from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.gateway.witness import note

_MAX_ENTRIES = 1_000
_MAX_BYTES = 64 * 1024 * 1024
MAX_RESPONSE = 4 * 1024 * 1024
"""Largest body that is stored."""

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class CacheQuery:
    """What a prompt is looked up by."""

    partition: tuple[object, ...] = field(repr=False)
    """Responses are shared only among calls for which this is equal."""
    vector: tuple[float, ...] = field(repr=False)
    """The prompt's embedding at length 1."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response as it was received."""

    status: int
    headers: CIMultiDict[str] = field(repr=False)
    body: bytes = field(repr=False)


class SemanticCache:
    """Holds responses until they expire; the oldest go first when there are too many."""

    def __init__(self, clock: Clock, *, connected: bool = True) -> None:
        """Start empty. `connected` is whether the service has an external cache that can hold anything."""
        self.connected = connected
        self._clock = clock
        self._entries: deque[tuple[CacheQuery, CachedResponse, float]] = deque()
        self._bytes = 0

    def find(self, query: CacheQuery, threshold: float) -> CachedResponse | None:
        """Return the nearest response of the partition whose cosine distance is within the threshold."""
        now = self._clock.now()
        nearest, found = math.inf, None
        for known, response, expires in self._entries:
            if expires > now and known.partition == query.partition and len(known.vector) == len(query.vector):
                distance = 1 - sum(map(mul, known.vector, query.vector))
                if distance <= nearest:
                    nearest, found = distance, response
        if nearest <= threshold + _ROUNDING:
            note("hit: the nearest prompt is at a distance of {}, {} is allowed", round(nearest, 4), threshold)
            return found
        if found is None:
            note("miss: no answer is kept for calls of this kind")
        else:
            note("miss: the nearest prompt is at a distance of {}, {} is allowed", round(nearest, 4), threshold)
        return None

    def store(self, query: CacheQuery, response: CachedResponse, seconds: float) -> None:
        """Keep a response; one that is too large is not kept."""
        if len(response.body) > MAX_RESPONSE:
            return
        now = self._clock.now()
        kept = [entry for entry in self._entries if entry[2] > now]
        self._entries = deque([*kept, (query, response, now + seconds)])
        self._bytes = sum(len(entry[1].body) for entry in self._entries)
        while len(self._entries) > _MAX_ENTRIES or self._bytes > _MAX_BYTES:
            self._bytes -= len(self._entries.popleft()[1].body)


def unit(vector: Sequence[float]) -> tuple[float, ...] | None:
    """Bring a vector to length 1; None for one that has no direction."""
    length = math.sqrt(sum(value * value for value in vector))
    return tuple(value / length for value in vector) if 0 < length < math.inf else None
