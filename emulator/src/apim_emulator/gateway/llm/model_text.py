"""JSON of language models: the texts of a request and of an answer, whole or one event of a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from apim_emulator.gateway.http.bodies import TooLargeError

Json = Mapping[str, Any]

PROMPT_FIELDS = ("messages", "prompt", "input", "instructions")
_ANSWER_FIELDS = ("choices", "output", "content", "delta")


MAX_BYTES = 4 * 1024 * 1024
"""Largest JSON of a model that is read, in bytes without content encoding (inferred: there is a bound)."""
MAX_VALUES = 200_000
"""Most values in it, counted by the marks that begin them: to read more holds up all other calls."""


def read_object(body: bytes) -> Json:
    """Read a JSON object, empty where it is none.

    Raises `TooLargeError` beyond `MAX_BYTES` or `MAX_VALUES`, and for one that is too deep.
    """
    if len(body) > MAX_VALUES and (len(body) > MAX_BYTES or sum(map(body.count, (b"{", b"[", b","))) > MAX_VALUES):
        raise TooLargeError("the JSON is too large")
    try:
        # Text in UTF-8 is read three times as fast as bytes whose encoding has to be found out first.
        found = json.loads(body.decode())
    except ValueError:
        found = _in_any_encoding(body)
    except RecursionError:
        raise TooLargeError("the JSON is too deep") from None
    return found if isinstance(found, dict) else {}


def _in_any_encoding(body: bytes) -> object:
    try:
        return json.loads(body)
    except RecursionError:
        raise TooLargeError("the JSON is too deep") from None
    except ValueError:
        return None


class Lines:
    """Splits server-sent events that arrive in chunks into lines with their ends; each byte is looked at once."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self.waiting = 0
        """Bytes of the line that has not ended."""

    def add(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes, and return the lines that end in them."""
        lines = chunk.splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if lines:
            lines[0] = self.rest() + lines[0]
        self._open.append(rest)
        self.waiting += len(rest)
        return lines

    def rest(self) -> bytes:
        """Return what there is of the line that has not ended, and drop it."""
        found = b"".join(self._open)
        self._open, self.waiting = [], 0
        return found


def event_object(line: bytes) -> Json:
    """Read the JSON object of an event's data line; empty for any other line. Raises as `read_object` does."""
    return read_object(line[5:]) if line.startswith(b"data:") else {}


def texts(value: object) -> Iterator[str]:
    """List every text of messages, prompts or answers, in order and however deep."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, dict):
            waiting += [item[name] for name in ("delta", "message", "text", "content") if name in item]


def prompt_text(request: Json) -> str:
    """Join all texts of a request."""
    return "\n".join(text for name in PROMPT_FIELDS for text in texts(request.get(name)))


def completion_text(answer: Json) -> str:
    """Join what a model generated, in an answer or in one event of a stream."""
    return "".join(text for name in _ANSWER_FIELDS if name in answer for text in texts(answer[name]))
