"""`ToString()` and formatting: the text of values, where no culture changes it."""

from collections.abc import Callable
from enum import Enum
from typing import Any
from uuid import UUID

from apim_emulator.csharp.runtime import dates, numbers, strings, xml_text
from apim_emulator.csharp.runtime.dates import DateTime, DateTimeOffset, TimeSpan
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.json_text import token_text
from apim_emulator.csharp.runtime.jtokens import JToken
from apim_emulator.csharp.runtime.meter import bounded
from apim_emulator.csharp.runtime.values import Byte, Int16, Int64, SByte, UInt16, UInt64
from apim_emulator.csharp.runtime.xlinq import XAttribute, XDeclaration, XName, XNamespace, XNode
from apim_emulator.csharp.types import ENUMS, RANGES, Type


def boolean(value: bool) -> str:
    """`bool.ToString()`."""
    return "True" if value else "False"


def double(value: float) -> str:
    """`double.ToString()`."""
    return numbers.double_round_trip(value, shorter=True)


def _name(value: Enum) -> str:
    return str(value.name).replace("|", ", ")


_NODES = {"XNode", "XContainer", "XElement", "XDocument", "XText", "XCData", "XComment", "XProcessingInstruction"}
_PLAIN: dict[str, Callable[[Any], str]] = {
    "string": lambda value: value,
    "bool": boolean,
    "char": lambda value: value,
    "double": double,
    "Guid": str,
    **dict.fromkeys(("DateTime", "DateTimeOffset", "TimeSpan"), str),
    "StringBuilder": str,
    "Match": lambda value: value.value,
    "Group": lambda value: value.value,
    **dict.fromkeys(RANGES, str),
    **dict.fromkeys(ENUMS, _name),
    **dict.fromkeys(("XName", "XNamespace", "XDeclaration"), str),
    **dict.fromkeys(sorted(_NODES), xml_text.write),
    "XAttribute": xml_text.write_attribute,
    **dict.fromkeys(("JToken", "JContainer", "JObject", "JArray", "JProperty", "JValue"), token_text),
}


def object_text(value: object) -> str:
    """`ToString()` of what `object` may hold."""
    if value is None:
        raise EvaluationError("NullReferenceException")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return double(value)
    if isinstance(value, JToken):
        return token_text(value)
    if isinstance(value, UUID | TimeSpan | DateTime | DateTimeOffset | XName | XNamespace | XDeclaration):
        return str(value)
    if isinstance(value, XNode):
        return xml_text.write(value)
    if isinstance(value, XAttribute):
        return xml_text.write_attribute(value)
    if isinstance(value, Enum):
        return _name(value)
    raise unsure(f"ToString() of a {type(value).__name__}")


def to_string(type_: Type) -> Callable[[Any], str] | None:
    """How `ToString()` works for a static type, of a value that is not null; None where it is not supported."""
    return object_text if type_ == Type.OBJECT else _PLAIN.get(type_.name)


def in_concatenation(type_: Type) -> Callable[[Any], str] | None:
    """How an operand of a string concatenation becomes text; null becomes nothing."""
    if type_ == Type.NULL:
        return lambda _: ""
    if type_ == Type.STRING:
        return lambda value: value or ""
    text = to_string(type_.args[0] if type_.is_nullable else type_)
    if text is None or not type_.is_reference:
        return text
    return lambda value: "" if value is None else text(value)


_BITS: dict[type, int] = {SByte: 8, Byte: 8, Int16: 16, UInt16: 16, Int64: 64, UInt64: 64}


def formatted(value: object, pattern: str | None) -> str:
    """`IFormattable.ToString(format)` of a boxed value, as composite formatting uses it; null becomes nothing."""
    if value is None:
        return ""
    if isinstance(value, DateTime | DateTimeOffset):
        return value.to_string(pattern) if pattern else str(value)
    if not pattern or isinstance(value, str | bool | JToken):
        if isinstance(value, JToken) and pattern:
            raise unsure("a format for a JSON token")
        return object_text(value)
    if isinstance(value, UUID):
        return guid(value, pattern)
    if isinstance(value, int | float):
        return numbers.format_number(value, pattern, _BITS.get(type(value), 32))
    raise unsure(f"a format for a {type(value).__name__}")


def guid(value: UUID, pattern: str | None) -> str:
    """`Guid.ToString(format)`."""
    found = {"n": value.hex, "b": f"{{{value}}}", "p": f"({value})"}.get((pattern or "d").lower(), str(value))
    if (pattern or "d").lower() not in {"n", "d", "b", "p"}:
        raise EvaluationError("FormatException") if (pattern or "").lower() != "x" else unsure("the GUID format X")
    return found


def aligned(text: str, width: int) -> str:
    """`{0,width}`: negative aligns left."""
    if abs(width) > 10_000:
        raise unsure("a wide alignment")
    blanks = " " * (abs(width) - strings.length(text))
    return bounded(blanks + text if width > 0 else text + blanks)


def is_sure_format(type_: Type, pattern: str) -> bool:
    """Tell whether a format is one that `formatted` knows for a static type; True where only the value decides."""
    inner = type_.args[0] if type_.is_nullable else type_
    if inner.name in {"DateTime", "DateTimeOffset"}:
        return dates.is_sure_format(pattern)
    if inner.name in RANGES:
        return numbers.is_sure_format(pattern, integer=True)
    if inner.name == "double":
        return numbers.is_sure_format(pattern, integer=False)
    return True
