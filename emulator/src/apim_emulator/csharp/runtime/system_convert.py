"""`System.Convert` and `ChangeType`, and Json.NET's conversions of tokens: what a value of one type is in another."""

import re
from collections.abc import Callable, Set
from enum import Enum
from typing import Any
from uuid import UUID

from apim_emulator.csharp.runtime import numbers
from apim_emulator.csharp.runtime.dates import DateTime, DateTimeOffset
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.json_text import simple_text
from apim_emulator.csharp.runtime.jtokens import JProperty, JToken, JValue
from apim_emulator.csharp.runtime.values import Char, JTokenType, type_of
from apim_emulator.csharp.types import RANGES, Type

_GUID = re.compile(
    r"([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})", re.ASCII
)


def to_integer(value: object, name: str) -> int:
    """`Convert.ToInt32(object)` and its like."""
    if value is None:
        return 0
    if isinstance(value, Char):
        return numbers.checked(ord(value), name)
    if isinstance(value, str):
        return numbers.parse_integer(value, name)
    if isinstance(value, float):
        return numbers.rounded(value, name)
    if isinstance(value, int):
        return numbers.checked(int(value), name)
    raise _not_convertible(value)


def to_double(value: object) -> float:
    """`Convert.ToDouble(object)`."""
    if value is None:
        return 0.0
    if isinstance(value, Char):
        raise EvaluationError("InvalidCastException")
    if isinstance(value, str):
        return numbers.parse_double(value)
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return float(value)
    raise _not_convertible(value)


def to_boolean(value: object) -> bool:
    """`Convert.ToBoolean(object)`."""
    if value is None:
        return False
    if isinstance(value, Char):
        raise EvaluationError("InvalidCastException")
    if isinstance(value, str):
        return parse_boolean(value)
    if isinstance(value, int | float):
        return value != 0
    raise _not_convertible(value)


def to_text(value: object) -> str:
    """`Convert.ToString(object, CultureInfo.InvariantCulture)`."""
    if isinstance(value, DateTime):
        return value.to_string("MM/dd/yyyy HH:mm:ss")
    if isinstance(value, JToken):
        raise unsure("Convert.ToString of a JSON token")
    return simple_text(value)


def _not_convertible(value: object) -> EvaluationError:
    if isinstance(value, JToken):
        return unsure("Convert on a JSON token")
    return EvaluationError("InvalidCastException")


def parse_boolean(text: str | None) -> bool:
    """`bool.Parse(string)`."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    if not text.isascii():
        raise unsure("a boolean in text outside ASCII")
    word = text.strip("\t\n\v\f\r \0").lower()
    if word not in {"true", "false"}:
        raise EvaluationError("FormatException")
    return word == "true"


def parse_guid(text: str | None) -> UUID:
    """`Guid.Parse(string)`: the formats N and D; the others end the evaluation."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    body = text.strip(" \t\r\n")
    if (
        _GUID.fullmatch(body)
        and len(body) in {32, 36}
        and (len(body) == 32 or body[8] == "-" == body[13] == body[18] == body[23])
    ):
        return UUID(body)
    if re.fullmatch(r"[^{(]{1,100}", body) and not re.match(r"[0-9a-fA-Fx+-]{8}", body):
        raise EvaluationError("FormatException")
    if not body:
        raise EvaluationError("FormatException")
    raise unsure("a GUID in another format than N and D")


_NUMBERS = {JTokenType.Integer, JTokenType.Float, JTokenType.String, JTokenType.Boolean}
_TEXTS = _NUMBERS | {JTokenType.Date, JTokenType.Guid, JTokenType.TimeSpan, JTokenType.Null}
_DATES = {"DateTime", "DateTimeOffset"}
_CHANGES: dict[str, Callable[[Any], Any]] = {
    "string": to_text,
    "bool": to_boolean,
    "double": to_double,
}


def change(value: object, type_: Type) -> Any:
    """`Convert.ChangeType(value, type)` of what a JSON value holds, not null."""
    if type_.name in RANGES:
        return to_integer(value, type_.name)
    if type_.name == "DateTime":
        if isinstance(value, str):
            raise unsure("a date in another format than JSON's")
        if isinstance(value, DateTime):
            return value
    found = _CHANGES.get(type_.name)
    if found is None:
        raise EvaluationError("InvalidCastException")
    return found(value)


def token_value(token: JToken | None, type_: Type) -> Any:
    """`Value<T>()` of a token, null for none; raises what `ChangeType` throws."""
    inner = type_.args[0] if type_.is_nullable else type_
    if token is None:
        return zero(type_)
    if type_ == Type.OBJECT:
        return token
    if type_of(token).refers_to(type_):
        return token
    if not isinstance(token, JValue):
        raise EvaluationError("InvalidCastException")
    if token.value is None:
        if type_.is_reference:
            return None
        raise EvaluationError("InvalidCastException")
    if inner.name == "Guid" and not isinstance(token.value, UUID):
        raise unsure("Value<Guid>() of text")
    if inner.name == "Guid":
        return token.value
    return change(token.value, inner)


def _read_from(type_: Type) -> Set[Enum]:
    """Which kinds of tokens a type is read from, other than its own and null."""
    if type_ == Type.STRING:
        return _TEXTS
    if type_.name == "Guid" or type_.name in _DATES:
        return {JTokenType.String, JTokenType.Comment, JTokenType.Raw}
    return _NUMBERS


def cast_token(token: JToken | None, type_: Type) -> Any:
    """`(T)token` for the types that `JToken` converts to explicitly."""
    inner = type_.args[0] if type_.is_nullable else type_
    if token is None:
        if type_.is_reference:
            return None
        raise EvaluationError("ArgumentNullException")
    value = token.value if isinstance(token, JProperty) else token
    nullable = type_.is_reference
    if not isinstance(value, JValue) or not (
        value.kind in _read_from(inner)
        or (nullable and value.kind is JTokenType.Null)
        or (inner.name in _DATES and value.kind is JTokenType.Date)
        or (inner.name == "Guid" and value.kind is JTokenType.Guid)
    ):
        raise EvaluationError("ArgumentException")
    if value.value is None:
        # A string that is null: what becomes of it in a value type differs.
        return None if nullable else zero(type_)
    if inner.name == "Guid":
        return value.value if isinstance(value.value, UUID) else parse_guid(str(value.value))
    if inner.name in _DATES and value.kind is not JTokenType.Date:
        raise unsure("a date in another format than JSON's")
    if inner.name == "DateTimeOffset" and isinstance(value.value, DateTime):
        return DateTimeOffset(value.value.ticks)
    return change(value.value, inner)


def zero(type_: Type) -> Any:
    """`default(T)`."""
    if type_.name in RANGES:
        return 0
    plain: dict[str, object] = {
        "bool": False,
        "double": 0.0,
        "char": "\0",
        "Guid": UUID(int=0),
        "DateTime": DateTime(0),
    }
    if type_.name in plain:
        return plain[type_.name]
    if type_.is_value:
        raise unsure(f"the default value of {type_}")
    return None
