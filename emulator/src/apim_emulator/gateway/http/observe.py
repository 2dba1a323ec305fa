"""Watches a body on its way to the caller: each chunk is seen and passed on at once, as fast as the caller reads."""

from collections.abc import AsyncIterable, Callable
from typing import Protocol


class BodyObserver(Protocol):
    """Sees a body pass."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def finish(self, *, complete: bool) -> None:
        """Take note of the end, once; not complete: the body broke off or was given up."""


class BodyKeeper:
    """Copies a body that passes, and keeps it once it has passed whole."""

    def __init__(self, largest: int, keep: Callable[[bytes], None]) -> None:
        """Take the most bytes that are copied, and what becomes of a body that is no larger."""
        self._largest, self._keep = largest, keep
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Copy the next bytes; no more than what is kept."""
        if len(self._body) <= self._largest:
            self._body += chunk

    def finish(self, *, complete: bool) -> None:
        """Keep a complete body."""
        if complete and len(self._body) <= self._largest:
            self._keep(bytes(self._body))


class StreamStoppedError(Exception):
    """Raised by a stream that ends early on purpose: what went out stays, nothing follows."""


class ObservedStream:
    """A stream of chunks that an observer sees."""

    def __init__(self, chunks: AsyncIterable[bytes], observer: BodyObserver) -> None:
        """Pull chunks only when somebody asks for them."""
        self._chunks = aiter(chunks)
        self._observer = observer
        self._finished = False

    def __aiter__(self) -> "ObservedStream":
        """Iterate once."""
        return self

    async def __anext__(self) -> bytes:
        """Give the next chunk."""
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self.finish(complete=True)
            raise
        self._observer.feed(chunk)
        return chunk

    def finish(self, *, complete: bool) -> None:
        """Tell the observer that nothing more comes; only the first time counts."""
        if not self._finished:
            self._finished = True
            self._observer.finish(complete=complete)
