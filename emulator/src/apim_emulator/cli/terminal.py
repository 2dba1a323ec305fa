"""What the commands share."""

import asyncio
import signal

from rich.console import Console

__all__ = ["note", "progress", "stop_signal"]

progress = Console(stderr=True, emoji=False)
"""Where everything goes that is no answer; the answer alone is on the standard output."""


def note(text: str) -> None:
    """Print what somebody should know who did not ask."""
    progress.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)


def stop_signal() -> asyncio.Event:
    """Return what is set by Ctrl-C or SIGTERM, within a running event loop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
