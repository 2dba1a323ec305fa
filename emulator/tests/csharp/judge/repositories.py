"""Finds the expressions in policy documents of public repositories."""

import html
import re
from collections.abc import Iterable

from emulator.bench.repositories import File

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SKIPPED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?:@\$|\$@|@)"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.[^']{0,8}|[^'])'""", re.DOTALL
)
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_NAMED_VALUE = re.compile(r"\{\{[\w.-]+\}\}")


def expressions(found: Iterable[File]) -> list[str]:
    """List the different expressions; named values are 1 in them."""
    texts: dict[str, None] = {}
    for file in found:
        if file.root is not None:
            one = _COMMENT.sub("", file.text)
            texts.update(dict.fromkeys(_NAMED_VALUE.sub("1", text) for text in _in_document(one)))
    return list(texts)


def _in_document(text: str) -> list[str]:
    found = []
    for match in re.finditer(r"(?<![A-Za-z0-9])@[({]", text):
        start = match.start()
        quote = text[:start].rstrip()[-1:]
        end = text.find(quote if quote in {'"', "'"} else "<", start)
        # Well-formed XML escapes what the portal does not.
        escaped = html.unescape(text[start:end]).strip() if "&" in text[start:end] else ""
        if escaped and _end(escaped, 0) == len(escaped):
            found.append(escaped)
        elif (whole := _end(text, start)) is not None:
            found.append(text[start:whole])
    return found


def _end(text: str, start: int) -> int | None:
    """Find where an expression's brackets close."""
    open_: list[str] = []
    place = start + 1
    while place < len(text):
        skipped = _SKIPPED.match(text, place)
        if skipped is not None and not (text.startswith("//", place) and text[place - 1] == ":"):
            place = skipped.end()
            continue
        character = text[place]
        place += 1
        if character in _CLOSING:
            open_.append(_CLOSING[character])
        elif character in _CLOSING.values():
            if character != open_.pop():
                return None
            if not open_:
                return place
    return None
