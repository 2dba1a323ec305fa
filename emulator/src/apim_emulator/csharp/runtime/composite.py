"""Composite formats: those of `string.Format`."""

import re
from collections.abc import Sequence
from functools import lru_cache

from apim_emulator.csharp.runtime import text
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import joined

_HOLE = re.compile(r"\{\{|\}\}|\{(\d{1,4}) *(?:, *(-?\d{1,7}) *)?(?::([^{}]*))?\}|[{}]", re.ASCII)
_MAX_WIDTH = 1_000_000
"""Widths from here on throw."""


@lru_cache(maxsize=256)
def composite_parts(pattern: str) -> tuple[str | tuple[int, int, str], ...] | None:
    """Split a composite format, once, into literals and holes; None where .NET throws."""
    found: list[str | tuple[int, int, str]] = []
    place = 0
    for match in _HOLE.finditer(pattern):
        found.append(pattern[place : match.start()])
        place = match.end()
        if match[0] in {"{{", "}}"}:
            found.append(match[0][0])
        elif match[1] is None:
            return None
        elif match[3] is not None and pattern.startswith("}", place):
            raise unsure("a brace after a composite format's hole")
        else:
            found.append((int(match[1]), int(match[2] or 0), match[3] or ""))
    return (*found, pattern[place:])


def composite(pattern: str | None, arguments: Sequence[object] | None) -> str:
    """`string.Format(format, args)` of boxed arguments."""
    if pattern is None or arguments is None:
        raise EvaluationError("ArgumentNullException")
    found = composite_parts(pattern)
    if found is None:
        raise unsure("this composite format") if "{ " in pattern else EvaluationError("FormatException")
    pieces = []
    for piece in found:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        index, width, spec = piece
        if index >= len(arguments):
            raise EvaluationError("FormatException")
        if abs(width) >= _MAX_WIDTH:
            raise EvaluationError("FormatException")
        value = text.formatted(arguments[index], spec)
        pieces.append(text.aligned(value, width) if width else value)
    return joined(pieces)
