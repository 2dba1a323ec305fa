"""`trace`: the last calls of a running emulator, policy by policy."""

import sys
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from apim_emulator.cli.session import SessionFile, only_running
from apim_emulator.errors import EmulatorError
from apim_emulator.tracing import CallTrace, as_text
from apim_emulator.tracing.model import from_json, to_json

__all__ = ["traced"]

_OPENER = build_opener(ProxyHandler({}))
_PAUSE = 0.5
"""Seconds between looks for new calls."""


def run(stack: str | None, last: int, follow: bool, as_json: bool, pause: Callable[[float], None] = time.sleep) -> int:
    """Print the last calls, the oldest first; with `follow`, go on until Ctrl-C or until the emulator ends."""
    name = stack or only_running(Path.cwd())
    url = SessionFile(Path.cwd(), name).read().trace_url
    if url is None:
        raise EmulatorError(f"stack {name} keeps no traces; start it without --no-trace")
    calls = traced(name, url, 0)
    _print(calls[len(calls) - min(last, len(calls)) :], as_json, follow)
    seen = max((call.number for call in calls), default=0)
    try:
        while follow:
            pause(_PAUSE)
            calls = traced(name, url, seen)
            _print(calls, as_json, follow)
            seen = max((call.number for call in calls), default=seen)
    except KeyboardInterrupt:
        pass
    return 0


def traced(name: str, url: str, after: int) -> list[CallTrace]:
    """Return the calls of a running emulator that came after a number. Raises `EmulatorError` where it is gone."""
    try:
        with _OPENER.open(f"{url}calls.json?after={after}", timeout=10) as answer:
            return from_json(answer.read())
    except (OSError, HTTPException, ValueError):
        raise EmulatorError(f"stack {name} does not answer; start it again") from None


def _print(calls: list[CallTrace], as_json: bool, follow: bool) -> None:
    if as_json:
        text = to_json(calls).decode() if not follow else "\n".join(to_json([call]).decode()[1:-1] for call in calls)
    else:
        text = "\n\n".join(map(as_text, calls)) if calls or follow else "No calls yet."
    if text:
        sys.stdout.write(f"{text}\n" if as_json or not follow else f"{text}\n\n")
        sys.stdout.flush()
