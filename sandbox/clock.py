"""Time that a test can move."""

import time


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
