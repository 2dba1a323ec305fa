"""C#'s binary operators: which one the static types choose, and what it computes."""

import operator
from collections.abc import Callable

from sandbox.expressions.errors import EvaluationError
from sandbox.expressions.members import to_string
from sandbox.expressions.strings import bounded
from sandbox.expressions.types import Frame, Run, Type, Typed

MAXIMUM = 2**31 - 1
MINIMUM = -(2**31)


class RefusedError(Exception):
    """Operands that C# refuses, or for which it does something surprising."""


def binary(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Choose the operator for these operands; None where none is supported."""
    if symbol in {"&&", "||"}:
        return _logic(symbol, left, right)
    if symbol in {"==", "!="}:
        return _equality(symbol, left, right)
    if symbol == "??":
        return _coalesce(left, right)
    if symbol == "+" and Type.STRING in {left.type, right.type}:
        return _concatenation(left, right)
    if left.type is Type.INT and right.type is Type.INT:
        return _integers(symbol, left, right)
    return None


def wrapped(value: int) -> int:
    """Int32 overflow, unchecked as in C#'s default context."""
    return (value - MINIMUM) % 2**32 + MINIMUM


def _logic(symbol: str, left: Typed, right: Typed) -> Typed | None:
    if left.type is not Type.BOOL or right.type is not Type.BOOL:
        return None
    one, other = left.run, right.run
    if symbol == "&&":
        return Typed(Type.BOOL, lambda frame: one(frame) and other(frame))
    return Typed(Type.BOOL, lambda frame: one(frame) or other(frame))


def _equality(symbol: str, left: Typed, right: Typed) -> Typed | None:
    types = {left.type, right.type}
    if types == {Type.OBJECT, Type.STRING}:
        raise RefusedError("object == string compares references; cast the object with (string)")
    if types == {Type.OBJECT}:
        raise RefusedError("object == object compares references; cast both sides")
    with_null = Type.NULL in types and len(types) == 2 and all(type_.is_reference for type_ in types)
    if not with_null and types not in ({Type.STRING}, {Type.INT}, {Type.BOOL}):
        return None
    one, other = left.run, right.run
    if symbol == "==":
        return Typed(Type.BOOL, lambda frame: one(frame) == other(frame))
    return Typed(Type.BOOL, lambda frame: one(frame) != other(frame))


def _coalesce(left: Typed, right: Typed) -> Typed | None:
    if not left.type.is_reference or left.type is Type.NULL:
        return None
    type_ = left.type if right.type.converts_to(left.type) else right.type
    if not left.type.converts_to(type_):
        return None
    one, other = left.run, right.run

    def evaluate(frame: Frame) -> object:
        value = one(frame)
        return other(frame) if value is None else value

    return Typed(type_, evaluate)


def _concatenation(left: Typed, right: Typed) -> Typed | None:
    one, other = _text(left), _text(right)
    if one is None or other is None:
        return None
    return Typed(Type.STRING, lambda frame: bounded(one(frame) + other(frame)))


def _text(operand: Typed) -> Run | None:
    """How an operand of a string concatenation becomes text; null becomes nothing."""
    run = operand.run
    if operand.type in {Type.STRING, Type.NULL}:
        return lambda frame: run(frame) or ""
    if operand.type is Type.OBJECT:

        def evaluate(frame: Frame) -> str:
            value = run(frame)
            return "" if value is None else to_string(value)

        return evaluate
    if operand.type in {Type.INT, Type.BOOL, Type.GUID, Type.CHAR}:
        return lambda frame: to_string(run(frame))
    return None


def _divided(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("DivideByZeroException")
    if left == MINIMUM and right == -1:
        raise EvaluationError("OverflowException")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _divided(left, right)


_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
}


def _integers(symbol: str, left: Typed, right: Typed) -> Typed | None:
    one, other = left.run, right.run
    if symbol in _COMPARISONS:
        compare = _COMPARISONS[symbol]
        return Typed(Type.BOOL, lambda frame: compare(one(frame), other(frame)))
    compute = _ARITHMETIC.get(symbol)
    if compute is None:
        return None
    if left.constant is not None and right.constant is not None:
        try:
            value = compute(left.constant, right.constant)
        except EvaluationError:
            raise RefusedError("this constant division is an error in C#") from None
        if not MINIMUM <= value <= MAXIMUM:
            raise RefusedError("this constant overflows int, an error in C#")
        return Typed(Type.INT, lambda _: value, value)
    return Typed(Type.INT, lambda frame: wrapped(compute(one(frame), other(frame))))
