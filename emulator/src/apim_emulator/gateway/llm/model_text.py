"""JSON of language models: the texts of a request and of an answer, whole or one event of a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

PROMPT_FIELDS = ("messages", "prompt", "input", "instructions")
_ANSWER_FIELDS = ("choices", "output", "content", "delta")


def read_object(body: bytes) -> Json:
    """Read a JSON object, empty where it is none."""
    try:
        # Text in UTF-8 is read three times as fast as bytes whose encoding has to be found out first.
        found = json.loads(body.decode())
    except ValueError:
        found = _in_any_encoding(body)
    except RecursionError:
        return {}
    return found if isinstance(found, dict) else {}


def _in_any_encoding(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Split server-sent events into lines with their ends, and what there is of the next line."""
    lines = data.splitlines(keepends=True)
    rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
    return lines, rest


def event_object(line: bytes) -> Json:
    """Read the JSON object of an event's data line; empty for any other line."""
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
