"""Numbers: their ranges, how .NET reads them and how it writes them."""

import math
import re
import sys
from decimal import ROUND_HALF_UP, Decimal, localcontext

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.types import RANGES

_LONGEST = 20
"""Digits of the longest integer, and characters of a double that is surely read exactly."""
WHITE_SPACE = "\t\n\v\f\r "
"""What .NET's number parsers skip around a number."""
# Possessive, so that what does not match is found out in one pass.
_INTEGER = re.compile(r"[\t-\r ]*+([+-]?)(?=[0-9])0*+([0-9]*+)[\t-\r ]*+\0*+", re.ASCII)
_DOUBLE = re.compile(
    r"[\t-\r ]*+[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})++|[0-9]++)?(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]++)?[\t-\r ]*+"
)


def wrapped(value: int, name: str = "int") -> int:
    """Drop what does not fit, as unchecked arithmetic does."""
    low, high = RANGES[name]
    return value if low <= value <= high else (value - low) % (high - low + 1) + low


def checked(value: int, name: str) -> int:
    """Return what fits."""
    low, high = RANGES[name]
    if not low <= value <= high:
        raise EvaluationError("OverflowException")
    return value


def parse_integer(text: str | None, name: str) -> int:
    """`int.Parse(string)` and its like."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise EvaluationError("FormatException")
    if len(found[2]) > _LONGEST:
        raise EvaluationError("OverflowException")
    return checked(int(f"{found[1]}0{found[2]}"), name)


def parse_double(text: str | None) -> float:
    """`double.Parse(string)`."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    digits = text.strip(WHITE_SPACE)
    if not _DOUBLE.fullmatch(text) or not any(character.isdigit() for character in digits.lower().partition("e")[0]):
        if digits.lstrip("+-").lower() in {"infinity", "nan", "∞", "-infinity"} or not digits.isascii():
            raise unsure("a number that versions of .NET read differently")
        if "," in digits or "\0" in digits:
            raise unsure("thousands separators that are out of place")
        raise EvaluationError("FormatException")
    value = read_double(digits.replace(",", ""))
    if isinstance(value, RoundedFloat) or math.isinf(value) or (value == 0 and digits.startswith("-")):
        raise unsure("a number that versions of .NET read differently")
    return value


class RoundedFloat(float):
    """A double whose last bit depends on how a version of .NET reads a long number; its text is not sure."""


def read_double(text: str) -> float:
    """Read a plain number: exactly as every version of .NET does, or as a `RoundedFloat`.

    15 digits and a power of ten that is a double itself are read exactly by any algorithm.
    """
    value = float(text)
    if len(text) > _LONGEST:
        return RoundedFloat(value)
    _, digits, exponent = Decimal(text).normalize().as_tuple()
    exact = len(digits) <= 15 and isinstance(exponent, int) and abs(exponent) <= 22
    return value if exact else RoundedFloat(value)


def truncated(value: float, name: str) -> int:
    """`(int)` of a double; beyond the range the result is not defined."""
    if math.isfinite(value) and RANGES[name][0] <= int(value) <= RANGES[name][1]:
        return int(value)
    raise unsure("a double beyond the range of the integer type")


def rounded(value: float, name: str) -> int:
    """`Convert.ToInt32(double)`: halves go to the even number."""
    if not math.isfinite(value):
        raise EvaluationError("OverflowException")
    return checked(round(value), name)


def _parts(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits and decimal exponent of the first digit."""
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        raise unsure("the text of NaN, an infinity or a negative zero")
    if 0 < abs(value) < sys.float_info.min or isinstance(value, RoundedFloat):
        raise unsure("the text of a denormal number, or of one that was read from more than 15 digits")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - the value is finite
    text = "".join(map(str, digits))
    return "-" if sign else "", text, exponent + len(text) - 1


def double_round_trip(value: float, *, shorter: bool = False) -> str:
    """`ToString("R")`; `shorter` for `ToString()`, which in .NET Framework has 15 digits at most.

    Raises `StoppedError`: .NET Framework and later .NET write it differently.
    """
    sign, digits, exponent = _parts(value)
    if len(digits) > 15 and (shorter or len(digits) == 16 or not -4 <= exponent < 15):
        raise unsure("the text of a double with more than 15 digits")
    if exponent >= 15 or exponent <= -5:
        mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
        return f"{sign}{mantissa}E{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


_STANDARD = re.compile(r"([DdFfNnXxGg])([0-9]{0,2})", re.ASCII)
_LONGEST_FORMAT = 100
"""Characters of the longest custom format."""
_CUSTOM = re.compile(r"(0+)(?:\.(0*)(#*))?", re.ASCII)


def is_sure_format(pattern: str, *, integer: bool) -> bool:
    """Tell whether a number format is one of those that `format_number` knows."""
    found = _STANDARD.fullmatch(pattern)
    if found is None:
        return 0 < len(pattern) <= _LONGEST_FORMAT and _CUSTOM.fullmatch(pattern) is not None
    return found[1] not in "Gg" or not found[2] if integer else found[1] in "FfNn" or pattern in {"G", "g"}


def format_number(value: float, pattern: str, bits: int = 32) -> str:
    """`ToString(format)`: D, F, N, X, G, and custom formats of zeros; the same in every likely culture."""
    if not is_sure_format(pattern, integer=isinstance(value, int)):
        raise unsure("a number format that is not supported")
    found = _STANDARD.fullmatch(pattern)
    if found is None:
        custom = _CUSTOM.fullmatch(pattern)
        assert custom is not None  # noqa: S101 - just checked
        required, optional = len(custom[2] or ""), len(custom[3] or "")
        return _fixed(value, required + optional, optional, len(custom[1]), "")
    letter, digits = found[1].upper(), int(found[2] or -1)
    if letter == "G":
        return str(value) if isinstance(value, int) else double_round_trip(value, shorter=True)
    if letter == "D":
        return ("-" if value < 0 else "") + str(abs(int(value))).rjust(max(digits, 1), "0")
    if letter == "X":
        text = f"{int(value) % 2**bits:x}"
        return (text if found[1] == "x" else text.upper()).rjust(max(digits, 1), "0")
    return _fixed(value, 2 if digits < 0 else digits, 0, 1, "," if letter == "N" else "")


def _fixed(value: float, digits: int, optional: int, whole: int, separator: str) -> str:
    if isinstance(value, float):
        # .NET Framework rounds the first 15 digits, later .NET the exact value.
        _, shortest, _ = _parts(value)
        exact = Decimal(value)
        short = Decimal(repr(value))
        if len(shortest) > 15 or _rounded(exact, digits) != _rounded(short, digits):
            raise unsure("rounding that versions of .NET do differently")
    number = _rounded(Decimal(repr(value)), digits)
    if number == 0 and value < 0:
        raise unsure("the sign of a number that is rounded to zero")
    text = f"{number.copy_abs():{separator}f}"
    head, _, tail = text.partition(".")
    for _ in range(optional):
        tail = tail.removesuffix("0") if len(tail) > digits - optional else tail
    head = head.rjust(whole, "0")
    return ("-" if value < 0 else "") + head + (f".{tail}" if tail else "")


def _rounded(value: Decimal, digits: int) -> Decimal:
    # As many digits as the largest double has before the point, and the longest format after it.
    with localcontext(prec=309 + _LONGEST_FORMAT):
        return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
