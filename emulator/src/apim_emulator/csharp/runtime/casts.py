"""Types of values at run time: tested, and cast to."""

from typing import Any

from apim_emulator.csharp.runtime.exceptions import EvaluationError
from apim_emulator.csharp.runtime.values import type_of, unboxed
from apim_emulator.csharp.types import Type


def is_instance(value: object, type_: Type) -> bool:
    """Whether a value other than null has a type at run time."""
    if type_ == Type.OBJECT:
        return True
    inner = type_.args[0] if type_.is_nullable else type_
    found = type_of(value)
    return found == inner or (not inner.is_value and found.refers_to(inner))


def cast(value: object, type_: Type) -> Any:
    """`(T)value` from `object` or from a base type."""
    if value is None:
        if type_.is_reference:
            return None
        raise EvaluationError("NullReferenceException")
    if not is_instance(value, type_):
        raise EvaluationError("InvalidCastException")
    return unboxed(value)
