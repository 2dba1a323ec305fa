"""Numbers, `bool`, `Guid`, `Math`, `Convert`, `Random`, and what every value has."""

import math
import random
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

from apim_emulator.csharp.library.table import AMBIENT, CHECKS, CONSTANTS, define
from apim_emulator.csharp.runtime import numbers, system_convert, text
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import spend
from apim_emulator.csharp.runtime.values import Array, MidpointRounding
from apim_emulator.csharp.types import RANGES, Type


def _check_format(*, integer: bool) -> Callable[[str], None]:
    def check(pattern: str) -> None:
        if pattern and not numbers.is_sure_format(pattern, integer=integer):
            raise unsure("this format of a number")

    return check


CHECKS["integer_format"] = _check_format(integer=True)
CHECKS["double_format"] = _check_format(integer=False)
_BITS = {"sbyte": 8, "byte": 8, "short": 16, "ushort": 16, "int": 32, "uint": 32, "long": 64, "ulong": 64}


def _tried(parse: Callable[[str | None], Any], zero: Any) -> Callable[[str | None], tuple[bool, Any]]:
    """Make `TryParse` of `Parse`."""

    def call(value: str | None) -> tuple[bool, Any]:
        try:
            return True, parse(value)
        except EvaluationError as error:
            if error.exception in {"ArgumentNullException", "FormatException", "OverflowException"}:
                return False, zero
            raise

    return call


def _parser(name: str) -> Callable[[str | None], int]:
    return lambda value: numbers.parse_integer(value, name)


def _formatter(name: str) -> Callable[[int, str | None], str]:
    bits = _BITS[name]
    return lambda value, pattern: numbers.format_number(value, pattern, bits) if pattern else str(value)


def _sign(one: int, other: int) -> int:
    return (one > other) - (one < other)


def _difference(one: int, other: int) -> int:
    """Give what `CompareTo` of the small integers does."""
    return one - other


for _name, (_low, _high) in RANGES.items():
    define(
        _name,
        methods={
            f"CompareTo({_name}): int": _difference if _BITS[_name] < 32 else _sign,
            f"Equals({_name}): bool": lambda one, other: one == other,
            "ToString(): string": str,
            "ToString(string integer_format): string": _formatter(_name),
        },
        statics={
            "Parse(string): " + _name: _parser(_name),
            f"TryParse(string, out {_name}): bool": _tried(_parser(_name), 0),
        },
    )
    CONSTANTS[f"{_name}.MaxValue"] = (Type(_name), _high)
    CONSTANTS[f"{_name}.MinValue"] = (Type(_name), _low)

define(
    "double",
    methods={
        "ToString(): string": text.double,
        "ToString(string double_format): string": lambda value, pattern: (
            numbers.format_number(value, pattern) if pattern else text.double(value)
        ),
    },
    statics={
        "IsInfinity(double): bool": math.isinf,
        "IsNaN(double): bool": math.isnan,
        "Parse(string): double": numbers.parse_double,
        "TryParse(string, out double): bool": _tried(numbers.parse_double, 0.0),
    },
)
define(
    "bool",
    methods={"Equals(bool): bool": lambda one, other: one == other, "ToString(): string": text.boolean},
    statics={
        "Parse(string): bool": system_convert.parse_boolean,
        "TryParse(string, out bool): bool": _tried(system_convert.parse_boolean, False),
    },
)
define("object", methods={"ToString(): string": text.object_text})


# Guid


def new_guid(_context: Any) -> UUID:
    """`Guid.NewGuid()`."""
    return uuid4()


def _from_bytes(data: Array | None) -> UUID:
    if data is None:
        raise EvaluationError("ArgumentNullException")
    if len(data) != 16:
        raise EvaluationError("ArgumentException")
    return UUID(bytes_le=bytes(data))


def _guid_hash(value: UUID) -> int:
    """`Guid.GetHashCode()`: its four integers combined, as .NET Core does; .NET Framework takes fewer bytes."""
    one, two, three, four = struct.unpack("<4i", value.bytes_le)
    mixed: int = one ^ two ^ three ^ four
    return mixed


define(
    "Guid",
    methods={
        "Equals(Guid): bool": lambda one, other: one == other,
        "GetHashCode(): int": _guid_hash,
        "ToByteArray(): byte[]": lambda value: Array(Type.BYTE, value.bytes_le),
        "ToString(): string": str,
        "ToString(string): string": text.guid,
    },
    statics={
        "Parse(string): Guid": system_convert.parse_guid,
        "TryParse(string, out Guid): bool": _tried(system_convert.parse_guid, UUID(int=0)),
    },
    constructors={"new(byte[]): Guid": _from_bytes, "new(string): Guid": system_convert.parse_guid},
)
CONSTANTS["Guid.Empty"] = (Type("Guid"), UUID(int=0))
AMBIENT["Guid.NewGuid()"] = (Type("Guid"), new_guid)


# Math


def _absolute(name: str) -> Callable[[int], int]:
    def call(value: int) -> int:
        return numbers.checked(abs(value), name)

    return call


def _finite(compute: Callable[[float], float]) -> Callable[[float], float]:
    """Round where Python refuses to: NaN and infinities; a zero keeps its sign."""

    def call(value: float) -> float:
        if not math.isfinite(value) or value == 0:
            return value
        found = float(compute(value))
        return math.copysign(found, value) if found == 0 else found

    return call


def _round(value: float, digits: int = 0) -> float:
    if not 0 <= digits <= 15:
        raise EvaluationError("ArgumentOutOfRangeException")
    if not math.isfinite(value) or abs(value) >= 1e16:
        return value
    power = 10.0**digits
    scaled = value * power
    # .NET changed how it treats values so close to a half that the product decides.
    if digits and abs(abs(scaled - math.floor(scaled)) - 0.5) < 1e-6 and scaled != math.floor(scaled) + 0.5:
        raise unsure("rounding that versions of .NET do differently")
    return math.copysign(round(scaled) / power, value)


def _round_away(value: float, mode: Any) -> float:
    if mode is MidpointRounding.ToEven or not math.isfinite(value):
        return _round(value)
    whole = math.floor(abs(value))
    return math.copysign(whole + 1 if abs(value) - whole >= 0.5 else whole, value)


def _power(base: float, exponent: float) -> float:
    """`Math.Pow`, where the result is exact, no number, too large or too small: the last digit of others may differ."""
    if not (math.isfinite(base) and math.isfinite(exponent)):
        if abs(base) == 1 or exponent == 0:
            raise unsure("a power that versions of .NET compute differently")
        return math.pow(base, exponent)
    if base == 0 and exponent < 0:
        odd = exponent.is_integer() and exponent % 2 == 1
        return math.copysign(math.inf, base) if odd else math.inf
    if base < 0 and not exponent.is_integer():
        return math.nan
    size = exponent * math.log2(abs(base)) if base else 0.0
    sign = -1.0 if base < 0 and exponent % 2 == 1 else 1.0
    if size >= 1024:
        return sign * math.inf
    if size <= -1076:
        return sign * 0.0
    if not exponent.is_integer() or (abs(exponent) > 53 and math.frexp(base)[0] not in {0.0, 0.5, -0.5}):
        exact = base in {0.0, 1.0}
    elif abs(base) in {0.0, 1.0}:
        exact = True
    else:
        exact = Fraction(math.pow(base, exponent)) == Fraction(base) ** int(exponent)
    if not exact:
        raise unsure("a power that is no exact number")
    return math.pow(base, exponent)


def _root(value: float) -> float:
    return math.nan if value < 0 else math.sqrt(value)


define(
    "Math",
    statics={
        **{f"Abs({name}): {name}": _absolute(name) for name in ("sbyte", "short", "int", "long")},
        "Abs(double signed): double": abs,
        "Ceiling(double real): double": _finite(math.ceil),
        "Floor(double real): double": _finite(math.floor),
        "Pow(double, double): double": _power,
        "Round(double real): double": _round,
        "Round(double real, int): double": _round,
        "Round(double real, MidpointRounding): double": _round_away,
        **{f"Sign({name}): int": lambda value: (value > 0) - (value < 0) for name in ("int", "long")},
        "Sqrt(double): double": _root,
        "Truncate(double real): double": _finite(math.trunc),
        **{f"Max({name}, {name}): {name}": max for name in RANGES},
        **{f"Min({name}, {name}): {name}": min for name in RANGES},
        "Max(double, double): double": lambda one, other: _extreme(max, one, other),
        "Min(double, double): double": lambda one, other: _extreme(min, one, other),
    },
)


def _extreme(choose: Callable[..., float], one: float, other: float) -> float:
    if math.isnan(one) or math.isnan(other):
        return math.nan
    if one == other == 0:
        raise unsure("the extreme of zeros, which may have signs")
    return choose(one, other)


# Convert


def _integers(name: str, method: str) -> dict[str, Callable[..., Any]]:
    def call(value: object) -> int:
        return system_convert.to_integer(value, name)

    def from_character(value: str) -> int:
        return numbers.checked(ord(value), name)

    sources = ("string", "int", "long", "double", "bool", "object")
    return {f"{method}({source}): {name}": call for source in sources} | {f"{method}(char): {name}": from_character}


def _parsed_base(value: str | None, base: int) -> int:
    if base not in {2, 8, 10, 16}:
        raise EvaluationError("ArgumentException")
    if value is None:
        return 0
    if not value:
        raise EvaluationError("ArgumentOutOfRangeException")
    if base == 10:
        return numbers.parse_integer(value, "int")
    if base != 16 or len(value) > 8 or any(digit not in "0123456789abcdefABCDEF" for digit in value):
        raise unsure("this number in another base")
    return numbers.wrapped(int(value, 16), "int")


def _no_conversion(_value: str) -> Any:
    raise EvaluationError("InvalidCastException")


def _object_text(value: object) -> str:
    """`Convert.ToString(object)`: null is empty."""
    return "" if value is None else text.object_text(value)


_SIMPLE = ("int", "long", "bool", "char", "double")

define(
    "Convert",
    statics={
        **_integers("int", "ToInt32"),
        **_integers("long", "ToInt64"),
        **_integers("byte", "ToByte"),
        "ToInt32(string, int): int": _parsed_base,
        "ToBoolean(char): bool": _no_conversion,
        "ToDouble(char): double": _no_conversion,
        **{f"ToBoolean({source}): bool": system_convert.to_boolean for source in ("string", "bool", "int", "object")},
        **{
            f"ToDouble({source}): double": system_convert.to_double
            for source in ("string", "int", "long", "double", "object")
        },
        "ToString(string): string": lambda value: value,
        "ToString(object): string": _object_text,
        **{f"ToString({source}): string": (text.to_string(Type(source)) or _object_text) for source in _SIMPLE},
    },
)


# Random


class Random:
    """`System.Random` without a seed: unpredictable numbers."""

    def __init__(self) -> None:
        """Start anywhere."""
        self._source = random.SystemRandom()

    def next(self) -> int:
        """Choose an integer that is not negative."""
        return self.below(0, 2**31 - 1)

    def below(self, low: int, high: int) -> int:
        """Choose an integer from `low` to below `high`; `low` where they are equal."""
        return self._source.randrange(low, high) if high > low else low

    def fraction(self) -> float:
        """Choose a number from 0 to below 1."""
        return self._source.random()


class SeededRandom(Random):
    """`new Random(seed)`: the numbers that random.cs of .NET gives for a seed, by Knuth's subtractive method."""

    _MOST = 2**31 - 1
    _START = 161_803_398

    def __init__(self, seed: int) -> None:
        """Fill the table of 55 numbers from the seed."""
        last, step = self._START - min(abs(seed), self._MOST), 1
        table = [0] * 56
        table[55] = last
        for place in range(1, 55):
            table[21 * place % 55] = step
            last, step = step, last - step + (self._MOST if last < step else 0)
        for _ in range(4):
            for place in range(1, 56):
                table[place] -= table[1 + (place + 30) % 55]
                if table[place] < 0:
                    table[place] += self._MOST
        self._table, self._one, self._other = table, 0, 21

    def next(self) -> int:
        """Choose an integer that is not negative."""
        self._one, self._other = self._one % 55 + 1, self._other % 55 + 1
        value = self._table[self._one] - self._table[self._other]
        value -= value == self._MOST
        value += self._MOST if value < 0 else 0
        self._table[self._one] = value
        return value

    def below(self, low: int, high: int) -> int:
        """Choose an integer from `low` to below `high`; beyond the range of `int`, .NET takes two numbers for one."""
        if high - low <= self._MOST:
            return int(self.fraction() * (high - low)) + low
        value = self.next()
        value = -value if self.next() % 2 == 0 else value
        return int((value + self._MOST - 1) / (2 * self._MOST - 1) * (high - low)) + low

    def fraction(self) -> float:
        """Choose a number from 0 to below 1."""
        return self.next() * (1 / self._MOST)


def _between(source: Random, low: int, high: int) -> int:
    if low > high:
        raise EvaluationError("ArgumentOutOfRangeException")
    return source.below(low, high)


def _filled(source: Random, buffer: Array | None) -> None:
    """`NextBytes(buffer)`: the lowest byte of a number for each (random.cs of .NET)."""
    if buffer is None:
        raise EvaluationError("ArgumentNullException")
    for place in range(len(buffer)):
        spend()
        buffer[place] = source.next() & 255


define(
    "Random",
    methods={
        "Next(): int": lambda source: source.next(),
        "Next(int): int": lambda source, high: _between(source, 0, high),
        "Next(int, int): int": _between,
        "NextBytes(byte[]): void": _filled,
        "NextDouble(): double": lambda source: source.fraction(),
    },
    constructors={"new(): Random": Random, "new(int): Random": SeededRandom},
)
