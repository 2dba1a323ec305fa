"""Implicit and explicit conversions between static types."""

from collections.abc import Callable
from typing import Any

from apim_emulator.csharp.library.sequences import VIEWS
from apim_emulator.csharp.runtime import jtokens, numbers, system_convert, xlinq, xml_values
from apim_emulator.csharp.runtime.casts import cast, enumerated
from apim_emulator.csharp.runtime.dates import DateTime, DateTimeOffset
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.jtokens import JValue
from apim_emulator.csharp.runtime.values import BOXES, JTokenType, Lazy, boxed
from apim_emulator.csharp.types import ENUMS, RANGES, Run, Type, Typed

Change = Callable[[Any], Any]
"""What a conversion does to a value."""


def same(value: Any) -> Any:
    """Change nothing: the conversion is only one of static types."""
    return value


_WIDER = {
    "sbyte": {"short", "int", "long", "double"},
    "byte": {"short", "ushort", "int", "uint", "long", "ulong", "double"},
    "short": {"int", "long", "double"},
    "ushort": {"int", "uint", "long", "ulong", "double"},
    "int": {"long", "double"},
    "uint": {"long", "ulong", "double"},
    "long": {"double"},
    "ulong": {"double"},
    "char": {"ushort", "int", "uint", "long", "ulong", "double"},
}
"""C#'s implicit numeric conversions."""

_TO_TOKEN: dict[str, Change] = {
    "string": lambda value: JValue(value, JTokenType.String),
    "bool": lambda value: JValue(value, JTokenType.Boolean),
    "double": lambda value: JValue(value, JTokenType.Float),
    "DateTime": lambda value: JValue(value, JTokenType.Date),
    "Guid": lambda value: JValue(value, JTokenType.Guid),
    "TimeSpan": lambda value: JValue(value, JTokenType.TimeSpan),
    **dict.fromkeys(("int", "long", "short", "ushort", "byte", "sbyte", "uint"), jtokens.value_token),
}
_FROM_TEXT: dict[str, Change] = {"XName": xlinq.name_of, "XNamespace": xlinq.namespace_of}
_FROM_TOKEN = {"string", "bool", "double", "DateTime", "DateTimeOffset", "Guid", *RANGES} - {"sbyte"}


def implicit(source: Type, target: Type) -> Change | None:
    """Find an implicit conversion; None where C# has none, or where it is not supported."""
    if source == target:
        return same
    if Type.VOID in {source, target} or source.name in {"Ordering", "CultureOrdering"}:
        return None
    if source.refers_to(target):
        if (
            target == Type.OBJECT
            and source.name in {"IEnumerable", "IOrderedEnumerable"}
            and source.args[0].name in BOXES
        ):
            return _boxed_items(BOXES[source.args[0].name])
        return same if source.name not in VIEWS or target == Type.OBJECT else None
    if target == Type.OBJECT:
        return _boxing(source)
    if target.name in _WIDER.get(source.name, ()):
        if target.name == "double":
            return float if source.name != "char" else lambda value: float(ord(value))
        return ord if source.name == "char" else same
    if target.is_nullable:
        return _to_nullable(source, target)
    if target.name == "JToken":
        return _to_token(source)
    if source == Type.STRING and target.name in _FROM_TEXT:
        return _FROM_TEXT[target.name]
    if source.name == "DateTime" and target.name == "DateTimeOffset":
        return _offset
    return None


def implicit_constant(found: Typed, target: Type) -> bool:
    """Tell whether a constant fits in a smaller integer type."""
    return (
        found.type == Type.INT
        and isinstance(found.constant, int)
        and target.name in RANGES
        and RANGES[target.name][0] <= found.constant <= RANGES[target.name][1]
    )


def converted(found: Typed, target: Type) -> Typed | None:
    """Convert an expression implicitly."""
    if implicit_constant(found, target):
        return Typed(target, found.run, found.constant)
    change = implicit(found.type, target)
    return None if change is None else applied(found, target, change)


def applied(found: Typed, target: Type, change: Change) -> Typed:
    """Apply a conversion to an expression; a constant stays one."""
    if change is same:
        return Typed(target, found.run, found.constant, found.when)
    run = found.run
    if found.constant is not None and found.type.is_numeric and target.is_numeric:
        value = change(found.constant)
        return Typed(target, lambda _: value, value)
    return Typed(target, lambda frame: change(run(frame)))


def _boxed_items(box: Callable[[Any], object]) -> Change:
    """Keep the type of what a query gives."""

    def change(value: Any) -> Any:
        return Lazy(lambda: map(box, value)) if isinstance(value, Lazy) else value

    return change


def _boxing(source: Type) -> Change | None:
    inner = source.args[0] if source.is_nullable else source
    if inner.name in {"KeyValuePair", "()"}:
        return None
    return boxed(source) or same


def _to_nullable(source: Type, target: Type) -> Change | None:
    inner = target.args[0]
    if source.is_nullable:
        change = implicit(source.args[0], inner)
        return None if change is None else _lifted(change)
    return implicit(source, inner) if source.is_value else None


def _lifted(change: Change) -> Change:
    return change if change is same else lambda value: None if value is None else change(value)


def _to_token(source: Type) -> Change | None:
    if source.is_nullable and source.args[0].name in _TO_TOKEN:
        change = _TO_TOKEN[source.args[0].name]
        return lambda value: jtokens.null() if value is None else change(value)
    return _TO_TOKEN.get(source.name)


def _offset(value: DateTime) -> DateTimeOffset:
    return DateTimeOffset(value.ticks)


def explicit(source: Type, target: Type) -> Change | None:
    """Find the conversion of a cast; None where C# has none, or where it is not supported."""
    found = implicit(source, target)
    if found is not None:
        return found
    if source.is_numeric and target.is_numeric:
        return _numeric(source.name, target.name)
    if source == Type.OBJECT:
        return lambda value: cast(value, target)
    if source.name in ENUMS and target.is_numeric:
        change = _numeric("int", target.name)
        return lambda value: change(value.value)
    if source.is_integral and target.name in ENUMS:
        return lambda value: enumerated(numbers.wrapped(value, "int"), target)
    if source.is_nullable:
        inner = explicit(source.args[0], target.args[0] if target.is_nullable else target)
        return None if inner is None else _from_nullable(inner, target)
    if target.is_nullable and source.is_value:
        return explicit(source, target.args[0])
    if source.base("JToken") is not None and (target.args[0] if target.is_nullable else target).name in _FROM_TOKEN:
        return lambda value: system_convert.cast_token(value, target)
    if source.name in {"XElement", "XAttribute"} and (found := xml_values.cast(target)) is not None:
        return found
    if source.is_reference and target.is_reference and target.refers_to(source) and source.name not in VIEWS:
        return lambda value: cast(value, target)
    return None


def _from_nullable(inner: Change, target: Type) -> Change:
    def change(value: Any) -> Any:
        if value is not None:
            return inner(value)
        if target.is_reference:
            return None
        raise EvaluationError("InvalidOperationException")

    return change


def _numeric(source: str, target: str) -> Change:
    if target == "double":
        return float if source != "char" else lambda value: float(ord(value))
    if source == "double":
        if target == "char":
            return lambda value: character(numbers.truncated(value, "ushort"))
        return lambda value: numbers.truncated(value, target)
    if target == "char":
        return lambda value: character(numbers.wrapped(value, "ushort"))
    if source == "char":
        return lambda value: numbers.wrapped(ord(value), target)
    return lambda value: numbers.wrapped(value, target)


def character(code: int) -> str:
    """Make a `char`; half a surrogate pair ends the evaluation."""
    if 0xD800 <= code <= 0xDFFF:
        raise unsure("half a surrogate pair")
    return chr(code)


def compiled_cast(found: Typed, target: Type) -> Typed | None:
    """Compile a cast; the most common ones avoid a call."""
    if found.type == Type.OBJECT and target == Type.STRING:
        return Typed(target, _string_cast(found.run))
    if implicit_constant(found, target):
        return Typed(target, found.run, found.constant)
    change = explicit(found.type, target)
    return None if change is None else applied(found, target, change)


def _string_cast(run: Run) -> Run:
    def evaluate(frame: list[Any]) -> object:
        value = run(frame)
        return value if type(value) is str or value is None else cast(value, Type.STRING)

    return evaluate
