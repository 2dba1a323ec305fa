"""Time that a test can move."""

import asyncio
import time

__all__ = ["Clock"]

_STEP = 0.05
"""Seconds of real time after which a sleeper looks whether time was moved."""


class Clock:
    """Wall-clock time, plus whatever `advance` added: a 60 s window passes in no time."""

    def __init__(self, start: float | None = None) -> None:
        """Run from now, or stand still at `start` (Unix seconds) until advanced."""
        self._frozen = start
        self._offset = 0.0

    def now(self) -> float:
        """Unix time in seconds."""
        return (time.time() if self._frozen is None else self._frozen) + self._offset

    def advance(self, seconds: float) -> None:
        """Move time forward."""
        self._offset += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until a time has come. A clock that stands still moves on to it, so that waiting takes no real time."""
        until = self.now() + seconds
        await asyncio.sleep(0)
        while (rest := until - self.now()) > 0:
            if self._frozen is not None:
                return self.advance(rest)
            await asyncio.sleep(min(rest, _STEP))
        return None
