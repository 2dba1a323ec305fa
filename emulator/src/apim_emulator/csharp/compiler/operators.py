"""C#'s operators: which one the static types choose, and what it computes."""

import math
import operator
from collections.abc import Callable
from typing import Any

from apim_emulator.csharp.compiler import conversions
from apim_emulator.csharp.runtime import text, xlinq
from apim_emulator.csharp.runtime.dates import TimeSpan
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import bounded
from apim_emulator.csharp.runtime.numbers import wrapped
from apim_emulator.csharp.runtime.strings import same
from apim_emulator.csharp.types import ENUMS, RANGES, Run, Type, Typed


class RefusedError(Exception):
    """Operands that C# refuses, or for which it does something surprising."""


def binary(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Choose the operator for these operands; None where none is supported. `&&` and `||` are the compiler's."""
    if Type.VOID in {left.type, right.type}:
        return None
    if symbol == "??":
        return _coalesce(left, right)
    if (found := _names(symbol, left, right)) is not None:
        return found
    if symbol == "+" and Type.STRING in {left.type, right.type}:
        return _concatenation(left, right)
    if symbol in {"==", "!="}:
        found = _reference_equality(symbol, left, right)
        if found is not None:
            return found
    if symbol in {"<<", ">>"}:
        return _shift(symbol, left, right)
    for rule in (_numbers, _logic, _moments, _equatable, _ordering):
        found = rule(symbol, left, right)
        if found is not None:
            return found
    return None


_UNARY: dict[str, Callable[[int], int]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}


def unary(symbol: str, operand: Typed) -> Typed | None:
    """Choose a prefix operator; None where none is supported."""
    run, type_ = operand.run, operand.type
    if type_.is_nullable:
        return _lifted_unary(symbol, operand)
    if symbol in {"-", "+"} and type_.name == "TimeSpan":
        return Typed(type_, run if symbol == "+" else lambda frame: TimeSpan(-run(frame).ticks))
    if symbol == "!" and type_ == Type.BOOL:
        when = None if operand.when is None else (operand.when[1], operand.when[0])
        folded = None if operand.constant is None else not operand.constant
        return Typed(Type.BOOL, lambda frame: not run(frame), folded, when)
    if symbol not in {"-", "+", "~"} or not type_.is_numeric:
        return None
    if type_ == Type.DOUBLE:
        if symbol == "~":
            return None
        value = operand.constant if symbol == "+" or operand.constant is None else -operand.constant
        return Typed(type_, run if symbol == "+" else lambda frame: -run(frame), value)
    name = type_.name if type_.name in {"long", "uint", "ulong"} else "int"
    if symbol == "-" and name in {"uint", "ulong"}:
        if name == "ulong":
            return None
        name = "long"
    promoted = conversions.converted(operand, Type(name))
    if promoted is None:
        return None
    compute = _UNARY[symbol]
    inner = promoted.run
    if promoted.constant is not None:
        return constant(_fitting(compute(promoted.constant), name), name)
    return Typed(Type(name), lambda frame: wrapped(compute(inner(frame)), name))


def _lifted_unary(symbol: str, operand: Typed) -> Typed | None:
    """Apply an operator to what may be null: null stays null."""
    run, inner = operand.run, operand.type.args[0]
    found = unary(symbol, Typed(inner, _same))
    if found is None:
        return None
    apply: Callable[[Any], Any] = found.run
    return Typed(Type("?", (found.type,)), lambda frame: None if (value := run(frame)) is None else apply(value))


def _same(value: Any) -> Any:
    return value


def constant(value: Any, name: str) -> Typed:
    """Make a value that C# knows at compile time."""
    return Typed(Type(name), lambda _: value, value)


def _fitting(value: int, name: str) -> int:
    low, high = RANGES[name]
    if not low <= value <= high:
        raise RefusedError(f"this constant overflows {name}, an error in C#")
    return value


# Null and references


def _coalesce(left: Typed, right: Typed) -> Typed | None:
    if not left.type.is_reference or left.type == Type.NULL:
        return None
    if left.type.is_nullable:
        inner = conversions.converted(right, left.type.args[0])
        other = inner if inner is not None else conversions.converted(right, left.type)
        if other is None:
            return None
        return Typed(left.type.args[0] if inner is not None else left.type, _first(left.run, other.run))
    other = conversions.converted(right, left.type)
    if other is not None:
        return Typed(left.type, _first(left.run, other.run))
    one = conversions.converted(left, right.type)
    return (
        None
        if one is None
        else Typed(right.type, _first(left.run, right.run, conversions.implicit(left.type, right.type)))
    )


def _first(one: Run, other: Run, change: Callable[[Any], Any] | None = None) -> Run:
    def evaluate(frame: list[Any]) -> object:
        value = one(frame)
        if value is None:
            return other(frame)
        return value if change is None else change(value)

    return evaluate


def _reference_equality(symbol: str, left: Typed, right: Typed) -> Typed | None:
    types = {left.type, right.type}
    if types == {Type.OBJECT, Type.STRING}:
        return Typed(Type.BOOL, _references(symbol, left.run, right.run))
    if types == {Type.OBJECT}:
        raise RefusedError("object == object compares references; cast both sides")
    one, other = left.run, right.run
    if types == {Type.STRING}:
        return Typed(Type.BOOL, _text_comparison(symbol, one, other), _folded(symbol, left, right))
    if Type.NULL in types and (left.type.is_value or right.type.is_value):
        return _never_null(symbol, left if right.type == Type.NULL else right)
    if types == {Type.NULL} or not (left.type.is_reference and right.type.is_reference):
        return None
    if Type.NULL in types:
        tested = one if right.type == Type.NULL else other
        if symbol == "==":
            return Typed(Type.BOOL, lambda frame: tested(frame) is None)
        return Typed(Type.BOOL, lambda frame: tested(frame) is not None)
    if not any(left.type.base(root) and right.type.base(root) for root in ("JToken", "XObject")):
        return None
    if not (left.type.refers_to(right.type) or right.type.refers_to(left.type)):
        return None
    if symbol == "==":
        return Typed(Type.BOOL, lambda frame: one(frame) is other(frame))
    return Typed(Type.BOOL, lambda frame: one(frame) is not other(frame))


def _references(symbol: str, one: Run, other: Run) -> Run:
    """Compare an `object` with a string by reference: other values are surely others, equal texts may be one or two."""

    def evaluate(frame: list[Any]) -> bool:
        first, second = one(frame), other(frame)
        if first is None or second is None:
            return (first is second) is (symbol == "==")
        if type(first) is type(second) and (same(first, second) if isinstance(first, str) else first == second):
            raise unsure(f"object {symbol} string compares references, and these texts are equal: cast with (string)")
        return symbol == "!="

    return evaluate


def _never_null(symbol: str, value: Typed) -> Typed | None:
    """Compare a value type with null, of which C# only warns; one that has no `==` of its own is an error."""
    if value.type.name in {"KeyValuePair", "()"}:
        return None
    run = value.run

    def evaluate(frame: list[Any]) -> bool:
        run(frame)
        return symbol == "!="

    return Typed(Type.BOOL, evaluate)


def _comparison(symbol: str, one: Run, other: Run) -> Run:
    if symbol == "==":
        return lambda frame: one(frame) == other(frame)
    return lambda frame: one(frame) != other(frame)


def _text_comparison(symbol: str, one: Run, other: Run) -> Run:
    if symbol == "==":
        return lambda frame: same(one(frame), other(frame))
    return lambda frame: not same(one(frame), other(frame))


def _folded(symbol: str, left: Typed, right: Typed) -> bool | None:
    if left.constant is None or right.constant is None:
        return None
    return bool((left.constant == right.constant) is (symbol == "=="))


# Names of XML

_NAMES = {Type("XName"), Type("XNamespace")}


def _names(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """`namespace + name`, and names that are compared: equal ones are one object in .NET, and a string becomes one."""
    one, other = left.run, right.run
    if symbol == "+" and left.type.name == "XNamespace" and right.type == Type.STRING:
        return Typed(Type("XName"), lambda frame: xlinq.named(other(frame), one(frame)))
    name = next((type_ for type_ in (left.type, right.type) if type_ in _NAMES), None)
    if symbol not in {"==", "!="} or name is None:
        return None
    first, second = (conversions.converted(operand, name) for operand in (left, right))
    if first is None or second is None:
        return None
    return Typed(Type.BOOL, _comparison(symbol, first.run, second.run))


# Text


def _concatenation(left: Typed, right: Typed) -> Typed | None:
    one_text, other_text = text.in_concatenation(left.type), text.in_concatenation(right.type)
    if one_text is None or other_text is None:
        return None
    if left.constant is not None and right.constant is not None:
        try:
            value = one_text(left.constant) + other_text(right.constant)
        except EvaluationError as error:
            raise RefusedError(str(error)) from None
        is_constant = left.type == right.type == Type.STRING
        return Typed(Type.STRING, lambda _: value, value if is_constant else None)
    one, other = left.run, right.run
    if left.constant is not None and right.type == Type.STRING:
        head = one_text(left.constant)
        return Typed(Type.STRING, lambda frame: bounded(head + (other(frame) or "")))
    if left.type == right.type:
        return Typed(Type.STRING, lambda frame: bounded((one(frame) or "") + (other(frame) or "")))
    return Typed(Type.STRING, lambda frame: bounded(one_text(one(frame)) + other_text(other(frame))))


# Numbers


def _divided(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("DivideByZeroException")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _divided(left, right)


def _double_divided(left: float, right: float) -> float:
    if right == 0:
        if left == 0 or math.isnan(left):
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _double_remainder(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


def _double_product(left: float, right: float) -> float:
    return left * right


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
_DOUBLES: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": _double_product,
    "/": _double_divided,
    "%": _double_remainder,
}


def _inner(found: Typed) -> Type:
    return found.type.args[0] if found.type.is_nullable else found.type


def promoted(left: Typed, right: Typed) -> str | None:
    """Name the type in which C# does arithmetic on two operands; None where there is none."""
    one, other = _inner(left), _inner(right)
    if not (one.is_numeric and other.is_numeric):
        return None
    names = {one.name, other.name}
    if "double" in names:
        return "double"
    for name in ("int", "uint", "long", "ulong"):
        if all(
            conversions.implicit(type_, Type(name)) is not None or conversions.implicit_constant(found, Type(name))
            for type_, found in ((one, left), (other, right))
        ):
            return name
    return None


def _numbers(symbol: str, left: Typed, right: Typed) -> Typed | None:
    lifted = left.type.is_nullable or right.type.is_nullable
    name = promoted(left, right)
    if name is None:
        return None
    compare, compute = _COMPARISONS.get(symbol), (_DOUBLES if name == "double" else _INTEGERS).get(symbol)
    target = Type("?", (Type(name),)) if lifted else Type(name)
    one, other = conversions.converted(left, target), conversions.converted(right, target)
    if one is None or other is None or (compare is None and compute is None):
        return None
    if lifted:
        return _lifted(symbol, one, other, compare, compute and _wrapping(compute, name))
    result = Type.BOOL if compare is not None else target
    if one.constant is not None and other.constant is not None:
        return _constant(result, compare or compute or operator.add, one.constant, other.constant)
    first, second = one.run, other.run
    if compare is not None:
        return Typed(Type.BOOL, lambda frame: compare(first(frame), second(frame)))
    if right.constant == 0 and symbol in {"/", "%"} and name != "double":
        raise RefusedError("this constant division is an error in C#")
    calculate = _wrapping(compute or operator.add, name)
    return Typed(result, lambda frame: calculate(first(frame), second(frame)))


def _wrapping(compute: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    if name == "double":
        return compute
    low, high = RANGES[name]
    if compute in {_divided, _remainder}:

        def divide(left: int, right: int) -> int:
            if left == low and right == -1:
                raise EvaluationError("OverflowException")
            return compute(left, right)

        return divide

    def calculate(left: int, right: int) -> int:
        value: int = compute(left, right)
        return value if low <= value <= high else wrapped(value, name)

    return calculate


def _constant(type_: Type, compute: Callable[[Any, Any], Any], left: Any, right: Any) -> Typed:
    try:
        value = compute(left, right)
    except EvaluationError:
        raise RefusedError("this constant division is an error in C#") from None
    if type_.is_integral:
        _fitting(value, type_.name)
        if compute is _remainder and right == -1:
            _fitting(-left, type_.name)
    return Typed(type_, lambda _: value, value)


def _lifted(
    symbol: str,
    left: Typed,
    right: Typed,
    compare: Callable[[Any, Any], bool] | None,
    compute: Callable[[Any, Any], Any] | None,
) -> Typed | None:
    one, other = left.run, right.run
    if symbol in {"==", "!="}:
        return Typed(Type.BOOL, _comparison(symbol, one, other))

    def evaluate(frame: list[Any]) -> object:
        first, second = one(frame), other(frame)
        if first is None or second is None:
            return None if compare is None else False
        return compare(first, second) if compare is not None else compute and compute(first, second)

    return Typed(Type.BOOL if compare is not None else left.type, evaluate)


def _lifted_shift(symbol: str, left: Typed, right: Typed) -> Typed | None:
    one, other = left.run, right.run
    found = _shift(symbol, Typed(_inner(left), lambda pair: pair[0]), Typed(_inner(right), lambda pair: pair[1]))
    if found is None:
        return None

    def evaluate(frame: list[Any]) -> object:
        first, second = one(frame), other(frame)
        return None if first is None or second is None else found.run([first, second])

    return Typed(Type("?", (found.type,)), evaluate)


def _shift(symbol: str, left: Typed, right: Typed) -> Typed | None:
    if left.type.is_nullable or right.type.is_nullable:
        return _lifted_shift(symbol, left, right)
    if not (left.type.is_integral or left.type == Type.CHAR):
        return None
    name = left.type.name if left.type.name in {"uint", "long", "ulong"} else "int"
    value, count = conversions.converted(left, Type(name)), conversions.converted(right, Type.INT)
    if value is None or count is None:
        return None
    mask = 63 if name in {"long", "ulong"} else 31

    def compute(one: int, other: int) -> int:
        return wrapped(one << (other & mask), name) if symbol == "<<" else one >> (other & mask)

    if value.constant is not None and count.constant is not None:
        return constant(compute(value.constant, count.constant), name)
    one, other = value.run, count.run
    return Typed(Type(name), lambda frame: compute(one(frame), other(frame)))


# Booleans, enumerations, dates


def _logic(symbol: str, left: Typed, right: Typed) -> Typed | None:
    if left.type != Type.BOOL or right.type != Type.BOOL:
        return None
    compute = {"&": operator.and_, "|": operator.or_, "^": operator.xor}.get(symbol)
    if compute is None:
        return None
    one, other = left.run, right.run
    return Typed(Type.BOOL, lambda frame: compute(one(frame), other(frame)))


def _equatable(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Compare values of one type: booleans, enumerations, GUIDs; or combine flags."""
    inner, other_inner = _inner(left), _inner(right)
    if inner != other_inner or not (inner in {Type.BOOL, Type("Guid")} or inner.name in ENUMS):
        return None
    one, other = left.run, right.run
    if symbol in {"==", "!="}:
        return Typed(Type.BOOL, _comparison(symbol, one, other), _folded(symbol, left, right))
    if inner.name == "RegexOptions" and symbol == "|":
        folded = None if None in {left.constant, right.constant} else left.constant | right.constant
        return Typed(inner, lambda frame: one(frame) | other(frame), folded)
    return None


def _ordering(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Compare what `string.Compare` gives with 0: nothing else about it is sure, and by culture only equality is."""
    allowed = {"Ordering": set(_COMPARISONS), "CultureOrdering": {"==", "!="}}.get(left.type.name, set())
    if symbol not in allowed or right.type != Type.INT or right.constant != 0:
        return None
    compare, run = _COMPARISONS[symbol], left.run
    return Typed(Type.BOOL, lambda frame: compare(run(frame), 0))


def _moment_sum(left: Any, right: TimeSpan) -> Any:
    return TimeSpan(left.ticks + right.ticks) if isinstance(left, TimeSpan) else left.shifted(right.ticks)


def _moment_difference(left: Any, right: Any) -> Any:
    if isinstance(right, TimeSpan):
        return TimeSpan(left.ticks - right.ticks) if isinstance(left, TimeSpan) else left.shifted(-right.ticks)
    return TimeSpan(left.ticks - right.ticks)


def _moments(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Compare, add and subtract dates and spans."""
    kinds = {"DateTime", "DateTimeOffset", "TimeSpan"}
    if _inner(left).name not in kinds or _inner(right).name not in kinds:
        return None
    if left.type.is_nullable or right.type.is_nullable:
        return _lifted_moments(symbol, left, right)
    if left.type.name != right.type.name and "TimeSpan" not in {left.type.name, right.type.name}:
        whole = Type("DateTimeOffset")
        one, other = conversions.converted(left, whole), conversions.converted(right, whole)
        return None if one is None or other is None else _moments(symbol, one, other)
    first, second = left.run, right.run
    if symbol in _COMPARISONS and left.type == right.type:
        compare = _COMPARISONS[symbol]
        return Typed(Type.BOOL, lambda frame: compare(first(frame), second(frame)))
    span = Type("TimeSpan")
    if symbol == "-" and right.type in {span, left.type}:
        result = left.type if right.type == span else span
        return Typed(result, lambda frame: _moment_difference(first(frame), second(frame)))
    if symbol == "+" and right.type == span:
        return Typed(left.type, lambda frame: _moment_sum(first(frame), second(frame)))
    return None


def _lifted_moments(symbol: str, left: Typed, right: Typed) -> Typed | None:
    """Compute with operands of which one may be null: only two nulls are equal, and null is less or more than none."""
    found = _moments(symbol, Typed(_inner(left), lambda pair: pair[0]), Typed(_inner(right), lambda pair: pair[1]))
    if found is None:
        return None
    one, other, compute = left.run, right.run, found.run
    compares = found.type == Type.BOOL

    def evaluate(frame: list[Any]) -> object:
        first, second = one(frame), other(frame)
        if first is not None and second is not None:
            return compute([first, second])
        if not compares:
            return None
        return ((first is None) is (second is None)) is (symbol == "==") if symbol in {"==", "!="} else False

    return Typed(Type.BOOL if compares else Type("?", (found.type,)), evaluate)
