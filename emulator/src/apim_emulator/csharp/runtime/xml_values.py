"""What a cast makes of the text of an element or an attribute: XML's own forms of values (`XmlConvert`)."""

import math
import re
from collections.abc import Callable
from typing import Any

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import passed
from apim_emulator.csharp.runtime.xlinq import XAttribute, XElement
from apim_emulator.csharp.types import RANGES, Type

_BLANKS = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]++")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_WORDS = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def cast(target: Type) -> Callable[[Any], Any] | None:
    """`(T)element` and `(T)attribute`; None where there is none, or where it is not supported."""
    inner = target.args[0] if target.is_nullable else target
    if inner == Type.STRING:
        return lambda found: None if found is None else found.value
    if inner == Type.BOOL:
        read: Callable[[str], Any] = _boolean
    elif inner == Type.DOUBLE:
        read = _double
    elif inner.name in {"int", "long", "uint", "ulong"}:
        read = _integer(inner.name)
    else:
        return None

    def call(found: XElement | XAttribute | None) -> Any:
        if found is None:
            if target.is_nullable:
                return None
            raise EvaluationError("ArgumentNullException")
        text = found.value
        passed(8 * len(text))
        return read(text)

    return call


def _boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.lower().strip(_BLANKS))
    if found is None:
        raise EvaluationError("FormatException")
    return found


def _integer(name: str) -> Callable[[str], int]:
    low, high = RANGES[name]

    def read(text: str) -> int:
        body = text.strip(_BLANKS)
        if not body.isascii() or any(one in "\v\f\0" for one in body):
            raise unsure("a number in such a text")
        if not _INTEGER.fullmatch(body) or (low == 0 and not body[0].isdigit()):
            raise EvaluationError("FormatException")
        if len(body) > 1000:
            raise EvaluationError("OverflowException")
        value = int(body)
        if not low <= value <= high:
            raise EvaluationError("OverflowException")
        return value

    return read


def _double(text: str) -> float:
    body = text.strip(_BLANKS)
    if body in _WORDS:
        return _WORDS[body]
    if not _DOUBLE.fullmatch(body):
        raise EvaluationError("FormatException")
    value = float(body)
    if math.isinf(value):
        raise unsure("a double beyond its range")
    return value
