"""Types of values at run time: tested, and cast to."""

from enum import Enum
from typing import Any

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.values import ENUM_TYPES, type_of, unboxed
from apim_emulator.csharp.types import ENUMS, Type


def is_instance(value: object, type_: Type) -> bool:
    """Whether a value other than null has a type at run time."""
    if type_ == Type.OBJECT:
        return True
    inner = type_.args[0] if type_.is_nullable else type_
    found = type_of(value)
    return found == inner or (not inner.is_value and found.refers_to(inner))


def enumerated(value: int, type_: Type) -> Enum:
    """Make the value of an enumeration from an `int`, its underlying type."""
    kind = next(kind for kind in ENUM_TYPES if kind.__name__ == type_.name)
    try:
        return kind(value)
    except ValueError:
        raise unsure(f"a {type_} without a name") from None


def cast(value: object, type_: Type) -> Any:
    """`(T)value` from `object` or from a base type."""
    if value is None:
        if type_.is_reference:
            return None
        raise EvaluationError("NullReferenceException")
    if isinstance(value, Enum) and type_ in {Type.INT, Type("?", (Type.INT,))}:
        return value.value
    if type(value) is int and type_.name in ENUMS:
        return enumerated(value, type_)
    if not is_instance(value, type_):
        raise EvaluationError("InvalidCastException")
    return unboxed(value)
