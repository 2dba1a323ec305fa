"""Log lines that repeat themselves: shown once a second, with how many there were."""

import logging
from collections.abc import Callable
from time import monotonic

_SECOND = 1.0
_MAX_LINES = 100
"""Different lines that are counted at a time."""


class Repeated(logging.Filter):
    """Lets a line through once a second; the next one that is shown says how many were not."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._now = now
        self._seen: dict[str, tuple[float, int]] = {}
        """When a line was shown last, and how many followed that were not."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is shown."""
        if record.levelno < logging.WARNING:
            return True
        line, now = record.getMessage(), self._now()
        shown, kept_back = self._seen.get(line, (float("-inf"), 0))
        if now - shown < _SECOND:
            self._seen[line] = shown, kept_back + 1
            return False
        self._seen.pop(line, None)
        self._seen[line] = now, 0
        if len(self._seen) > _MAX_LINES:
            del self._seen[next(iter(self._seen))]
        if kept_back:
            record.msg, record.args = f"{line} ({kept_back + 1} times)", ()
        return True
