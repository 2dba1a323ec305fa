"""JSON text as Json.NET reads and writes it, where all its versions agree."""

import json
import re
from contextlib import suppress
from typing import Any, NoReturn

from apim_emulator.csharp.runtime.dates import DateTime, json_date
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.jtokens import JArray, JObject, JProperty, JToken, JValue
from apim_emulator.csharp.runtime.meter import elements, joined, made, replaced, spend
from apim_emulator.csharp.runtime.numbers import double_round_trip, read_double
from apim_emulator.csharp.runtime.values import JTokenType
from apim_emulator.csharp.types import RANGES

NEW_LINE = "\r\n"
"""`Environment.NewLine`: the managed gateway runs on Windows (inferred)."""
_A_TOKEN = 512
"""Characters that a token counts for: so many of them that the collector's pass over them keeps nobody waiting."""
_MAX_DEPTH = 64
"""Json.NET refuses more since version 13, before it did not."""
_WORDS = {"true", "false", "null", "undefined", "NaN", "Infinity", "new"}
_STARTS = set("\"'{[-./0123456789tfnuNI)")
"""What Json.NET may read a value from; some of it is no JSON."""


def read(text: str | None, kind: type[JToken] = JToken) -> JToken:
    """`JToken.Parse`, `JObject.Parse` or `JArray.Parse`.

    Raises `JsonReaderException`, or gives up where Json.NET reads what is no JSON.
    """
    if text is None:
        raise EvaluationError("ArgumentNullException")
    made(len(text))
    spend(len(text) // 64)
    elements(text.count("]") + text.count("}") + text.count(","), _A_TOKEN)
    try:
        found = _loaded(text)
    except RecursionError:
        raise unsure("JSON nested too deep") from None
    token = _token(found, 1)
    if not isinstance(token, kind):
        raise EvaluationError("JsonReaderException")
    return token


def _loaded(text: str) -> Any:
    try:
        return _strict(text)
    except json.JSONDecodeError as error:
        if "'" in text:
            with suppress(json.JSONDecodeError):
                return _strict(_double_quoted(text))
        raise _failure(text, error) from None


def _strict(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_word)


# An atomic group: Python 3.11.2 loses the groups after a possessive repeat.
_QUOTED = re.compile(r"""(["'])(?P<inside>(?>(?:\\.|(?!\1)[^\\])*))(?P<end>\1)?""", re.DOTALL)
_INSIDE = re.compile(r"""(\\[^'])|\\'|\"""", re.DOTALL)


def _double_quoted(text: str) -> str:
    """Write strings in single quotes, which Json.NET reads, in double ones; an escaped quote is the quote in both."""

    def string(found: re.Match[str]) -> str:
        return f'"{_INSIDE.sub(_escape, found["inside"])}"' if found["end"] else found[0]

    return replaced(_QUOTED, string, text)


def _escape(found: re.Match[str]) -> str:
    return found[1] or ("'" if found[0] == "\\'" else '\\"')


class _Pairs(list[tuple[str, Any]]):
    """An object's members; not yet tokens, so that the depth can be counted."""


def _object(pairs: list[tuple[str, Any]]) -> _Pairs:
    spend()
    return _Pairs(pairs)


def _integer(text: str) -> int:
    spend()
    value = int(text) if len(text) < 21 else RANGES["long"][1] + 1
    if not RANGES["long"][0] <= value <= RANGES["long"][1] or text == "-0":
        raise unsure("a JSON number beyond Int64")
    return value


def _float(text: str) -> float:
    spend()
    value = read_double(text)
    if value in {float("inf"), float("-inf")} or (value == 0 and text.startswith("-")):
        raise unsure("a JSON number that versions of .NET read differently")
    return value


def _word(_text: str) -> NoReturn:
    raise unsure("NaN and Infinity in JSON")


def _token(value: Any, depth: int) -> JToken:
    if isinstance(value, str):
        return _string(value)
    if depth > _MAX_DEPTH:
        raise unsure(f"JSON nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, _Pairs):
        made_object = JObject()
        for name, item in value:
            _whole(name)
            made_object.set(name, _token(item, depth + 1))
        return made_object
    if isinstance(value, list):
        made_array = JArray()
        for item in value:
            made_array.add(_token(item, depth + 1))
        return made_array
    if isinstance(value, bool):
        return JValue(value, JTokenType.Boolean)
    if isinstance(value, int):
        return JValue(value, JTokenType.Integer)
    return JValue(value, JTokenType.Null if value is None else JTokenType.Float)


def _string(text: str) -> JValue:
    _whole(text)
    date = json_date(text)
    return JValue(text, JTokenType.String) if date is None else JValue(date, JTokenType.Date)


def _whole(text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise unsure("half a surrogate pair in JSON")


def is_unfinished(text: str) -> bool:
    """Tell whether broken JSON ends before it is whole."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip(" \t\r\n")) or error.msg.startswith("Unterminated string")
    return False


def _failure(text: str, error: json.JSONDecodeError) -> EvaluationError:
    """Tell whether Json.NET surely refuses it too: it reads comments, single quotes and more."""
    body = text.strip(" \t\r\n")
    word = re.match(r"[A-Za-z]*", body)
    refused = (
        not body
        or (body[0] not in _STARTS and body[0].isascii() and body[0].isprintable())
        or (word is not None and word[0] and body[0] in "tfnuNI" and word[0] not in _WORDS)
        or is_unfinished(text)
        or (error.msg == "Extra data" and body[0] in "{[" and text[error.pos] != "/")
    )
    return EvaluationError("JsonReaderException") if refused else unsure("JSON that is not strict")


_ESCAPED = re.compile('[\x00-\x1f"\\\\\x85\u2028\u2029]')
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"', "\\": "\\\\"}


def quoted(text: str) -> str:
    """Write a string with its quotes."""
    spend(len(text) // 16)
    return f'"{replaced(_ESCAPED, _escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


def write(token: JToken, *, indented: bool) -> str:
    """`ToString(Formatting)`."""
    parts: list[str] = []
    _write(token, parts, NEW_LINE if indented else "")
    return joined(parts)


def _write(token: JToken, parts: list[str], line: str) -> None:
    """Write a token; `line` is the line break with the indentation of the parent, empty for none."""
    spend()
    if isinstance(token, JObject):
        _enclose("{}", token.children(), parts, line)
    elif isinstance(token, JArray):
        _enclose("[]", token.children(), parts, line)
    elif isinstance(token, JProperty):
        parts.append(f"{quoted(token.name)}:{' ' if line else ''}")
        _write(token.value, parts, line)
    elif isinstance(token, JValue):
        parts.append(_simple(token))


def _enclose(brackets: str, children: Any, parts: list[str], line: str) -> None:
    parts.append(brackets[0])
    inner = line + "  " if line else ""
    first = True
    for child in children:
        parts.append(inner if first else "," + inner)
        _write(child, parts, inner)
        first = False
    parts.append(brackets[1] if first else line + brackets[1])


def _simple(token: JValue) -> str:
    value = token.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = double_round_trip(value)
        return text if "." in text or "E" in text else text + ".0"
    if isinstance(value, DateTime):
        return f'"{value.iso()}"'
    return quoted(str(value))


def token_text(token: JToken) -> str:
    """`ToString()`: a value's own text, everything else as indented JSON."""
    if not isinstance(token, JValue):
        return write(token, indented=True)
    return simple_text(token.value)


def simple_text(value: object) -> str:
    """Text of a JSON value: what its .NET type gives for `ToString()`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return double_round_trip(value, shorter=True)
    return str(value)
