"""`DateTime`, `DateTimeOffset` and `TimeSpan`."""

import math
import re
from collections.abc import Callable
from typing import Any

from apim_emulator.csharp.library.table import AMBIENT, CHECKS, CONSTANTS, define
from apim_emulator.csharp.runtime.dates import (
    DAY,
    MAX_TICKS,
    MINUTE,
    SECOND,
    UNIX_EPOCH,
    DateTime,
    DateTimeOffset,
    TimeSpan,
    from_date,
    from_unix,
    is_sure_format,
    json_date,
    of_units,
    read_iso,
)
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.values import DateTimeKind, DayOfWeek
from apim_emulator.csharp.types import Type

_SCALES = {"Days": 86_400_000.0, "Hours": 3_600_000.0, "Minutes": 60_000.0, "Seconds": 1000.0, "Milliseconds": 1.0}


def _adder(scale: float) -> Callable[[Any, float], Any]:
    def add(moment: Any, value: float) -> Any:
        return _moved(moment, of_units(value, scale, "ArgumentOutOfRangeException"))

    return add


def _moved(moment: Any, ticks: int) -> Any:
    return moment.shifted(ticks)


def _add_months(moment: Any, months: int) -> Any:
    clock = moment.clock
    calendar = clock.calendar
    if not -120_000 <= months <= 120_000:
        raise EvaluationError("ArgumentOutOfRangeException")
    year, month = divmod(calendar.year * 12 + calendar.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise EvaluationError("ArgumentOutOfRangeException")
    day = min(calendar.day, _days_in(year, month + 1))
    return moment.shifted(from_date(year, month + 1, day) + clock.ticks % DAY - clock.ticks)


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _days_in_month(year: int, month: int) -> int:
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        raise EvaluationError("ArgumentOutOfRangeException")
    return _days_in(year, month)


def _part(name: str) -> Callable[[Any], int]:
    return lambda moment: int(getattr(moment.clock.calendar, name))


_PARTS: dict[str, Callable[..., Any]] = {
    f"{name.capitalize()}: int": _part(name) for name in ("year", "month", "day", "hour", "minute", "second")
}
_MOMENT: dict[str, Callable[..., Any]] = {
    **_PARTS,
    "DayOfWeek: DayOfWeek": lambda moment: DayOfWeek((moment.clock.ticks // DAY + 1) % 7),
    "DayOfYear: int": lambda moment: moment.clock.calendar.timetuple().tm_yday,
    "Millisecond: int": lambda moment: moment.clock.ticks % SECOND // 10_000,
    "Ticks: long": lambda moment: moment.clock.ticks,
    "TimeOfDay: TimeSpan": lambda moment: TimeSpan(moment.clock.ticks % DAY),
}


def _adders(type_: str) -> dict[str, Callable[..., Any]]:
    return {
        **{f"Add{unit}(double): {type_}": _adder(scale) for unit, scale in _SCALES.items()},
        f"Add(TimeSpan): {type_}": lambda moment, span: _moved(moment, span.ticks),
        f"AddMonths(int): {type_}": _add_months,
        f"AddTicks(long): {type_}": _moved,
        f"AddYears(int): {type_}": lambda moment, years: _add_months(moment, years * 12),
        f"Subtract(TimeSpan): {type_}": lambda moment, span: _moved(moment, -span.ticks),
        f"Equals({type_}): bool": lambda one, other: one == other,
        f"Subtract({type_}): TimeSpan": lambda one, other: TimeSpan(one.ticks - other.ticks),
        "ToString(): string": str,
        "ToString(string date_format): string": _formatted,
    }


def _checked(pattern: str) -> None:
    if pattern and not is_sure_format(pattern):
        raise unsure("this format of a date, since a culture may change it")


CHECKS["date_format"] = _checked


def _formatted(moment: Any, pattern: str | None) -> str:
    text: str = moment.to_string(pattern) if pattern else str(moment)
    return text


def _parsed(text: str | None) -> DateTime:
    """`DateTime.Parse` of the ISO form; a time with a zone becomes local."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    found = json_date(text)
    if found is None:
        if re.fullmatch(r"[A-Za-z]{0,2}|[a-z]+-[a-z-]+", text):
            raise EvaluationError("FormatException")
        raise unsure("a date in another form than yyyy-MM-ddTHH:mm:ssZ")
    return found if found.kind is DateTimeKind.Unspecified else DateTime(found.ticks, DateTimeKind.Local)


def _tried(text: str | None) -> tuple[bool, DateTime]:
    try:
        return True, _parsed(text)
    except EvaluationError as error:
        if error.exception in {"ArgumentNullException", "FormatException"}:
            return False, DateTime(0)
        raise


_DATE, _SPAN, _OFFSET = Type("DateTime"), Type("TimeSpan"), Type("DateTimeOffset")

define(
    "DateTime",
    properties_={
        **_MOMENT,
        "Date: DateTime": lambda moment: moment.shifted(-(moment.ticks % DAY)),
        "Kind: DateTimeKind": lambda moment: moment.kind,
    },
    methods={
        **_adders("DateTime"),
        "ToLocalTime(): DateTime": lambda moment: DateTime(moment.ticks, DateTimeKind.Local),
        "ToUniversalTime(): DateTime": lambda moment: DateTime(moment.ticks, DateTimeKind.Utc),
    },
    statics={
        "DaysInMonth(int, int): int": _days_in_month,
        "IsLeapYear(int): bool": lambda year: _days_in_month(year, 2) == 29,
        "Parse(string): DateTime": _parsed,
        "SpecifyKind(DateTime, DateTimeKind): DateTime": lambda moment, kind: DateTime(moment.ticks, kind),
        "TryParse(string, out DateTime): bool": _tried,
    },
    constructors={
        "new(int, int, int): DateTime": lambda *parts: DateTime(from_date(*parts)),
        "new(int, int, int, int, int, int): DateTime": lambda *parts: DateTime(from_date(*parts)),
        "new(int, int, int, int, int, int, DateTimeKind): DateTime": lambda *parts: DateTime(
            from_date(*parts[:6]), parts[6]
        ),
        "new(long): DateTime": DateTime,
        "new(long, DateTimeKind): DateTime": DateTime,
    },
)
CONSTANTS["DateTime.MinValue"] = (_DATE, DateTime(0))
CONSTANTS["DateTime.MaxValue"] = (_DATE, DateTime(MAX_TICKS))


def _now(kind: Any) -> Callable[[Any], DateTime]:
    return lambda context: DateTime(from_unix(context.now()), kind)


AMBIENT["DateTime.UtcNow"] = (_DATE, _now(DateTimeKind.Utc))
AMBIENT["DateTime.Now"] = (_DATE, _now(DateTimeKind.Local))
AMBIENT["DateTime.Today"] = (
    _DATE,
    lambda context: DateTime(from_unix(context.now()) // DAY * DAY, DateTimeKind.Local),
)


# DateTimeOffset


def _offset(span: TimeSpan) -> int:
    if span.ticks % MINUTE:
        raise EvaluationError("ArgumentException")
    if abs(span.ticks) > 14 * 60 * MINUTE:
        raise EvaluationError("ArgumentOutOfRangeException")
    return span.ticks


def _to_offset(moment: DateTimeOffset, span: TimeSpan) -> DateTimeOffset:
    moment.shifted(span.ticks)  # a clock that no date has throws first
    return DateTimeOffset(moment.ticks, _offset(span))


def _from_parts(*parts: Any) -> DateTimeOffset:
    _offset(parts[6])  # a wrong offset throws before a wrong date
    return _with_offset(DateTime(from_date(*parts[:6])), parts[6])


def _with_offset(moment: DateTime, span: TimeSpan) -> DateTimeOffset:
    """Place a clock; that of a date in UTC, and of a local one, which is UTC here, is there already."""
    if moment.kind is not DateTimeKind.Unspecified and span.ticks:
        raise EvaluationError("ArgumentException")
    offset = _offset(span)
    return DateTimeOffset(moment.ticks - offset, offset)


def _parsed_offset(text: str | None) -> DateTimeOffset:
    """`DateTimeOffset.Parse` of the ISO form; a time without a zone is local."""
    found = read_iso(text or "")
    if found is None:
        return DateTimeOffset(_parsed(text).ticks)
    ticks, zone = found
    offset = 0 if zone is None else zone.ticks
    if not 0 <= ticks - offset <= MAX_TICKS:
        raise EvaluationError("FormatException")
    return DateTimeOffset(ticks - offset, offset)


def _unix(scale: int) -> Callable[[int], DateTimeOffset]:
    return lambda value: DateTimeOffset(UNIX_EPOCH + value * scale)


def _to_unix(scale: int) -> Callable[[DateTimeOffset], int]:
    return lambda moment: moment.ticks // scale - UNIX_EPOCH // scale


define(
    "DateTimeOffset",
    properties_={
        **_MOMENT,
        "Date: DateTime": lambda moment: moment.clock.shifted(-(moment.clock.ticks % DAY)),
        "DateTime: DateTime": lambda moment: moment.clock,
        "LocalDateTime: DateTime": lambda moment: DateTime(moment.ticks, DateTimeKind.Local),
        "Offset: TimeSpan": lambda moment: TimeSpan(moment.offset),
        "UtcDateTime: DateTime": lambda moment: DateTime(moment.ticks, DateTimeKind.Utc),
        "UtcTicks: long": lambda moment: moment.ticks,
    },
    methods={
        **_adders("DateTimeOffset"),
        "ToLocalTime(): DateTimeOffset": lambda moment: DateTimeOffset(moment.ticks),
        "ToOffset(TimeSpan): DateTimeOffset": _to_offset,
        "ToUniversalTime(): DateTimeOffset": lambda moment: DateTimeOffset(moment.ticks),
        "ToUnixTimeMilliseconds(): long": _to_unix(10_000),
        "ToUnixTimeSeconds(): long": _to_unix(SECOND),
    },
    statics={
        "FromUnixTimeMilliseconds(long): DateTimeOffset": _unix(10_000),
        "FromUnixTimeSeconds(long): DateTimeOffset": _unix(SECOND),
        "Parse(string): DateTimeOffset": _parsed_offset,
    },
    constructors={
        "new(DateTime): DateTimeOffset": lambda moment: DateTimeOffset(moment.ticks),
        "new(DateTime, TimeSpan): DateTimeOffset": _with_offset,
        "new(int, int, int, int, int, int, TimeSpan): DateTimeOffset": _from_parts,
    },
)
CONSTANTS["DateTimeOffset.MinValue"] = (_OFFSET, DateTimeOffset(0))
AMBIENT["DateTimeOffset.UtcNow"] = (_OFFSET, lambda context: DateTimeOffset(from_unix(context.now())))
AMBIENT["DateTimeOffset.Now"] = AMBIENT["DateTimeOffset.UtcNow"]


# TimeSpan

_UNITS = {"Days": DAY, "Hours": DAY // 24, "Minutes": 60 * SECOND, "Seconds": SECOND, "Milliseconds": 10_000}
_MODULES = {"Days": 0, "Hours": 24, "Minutes": 60, "Seconds": 60, "Milliseconds": 1000}


_MOST_MILLISECONDS = float((2**63 - 1) // 10_000)


def _total(unit: int) -> Callable[[TimeSpan], float]:
    # .NET multiplies by the reciprocal; where a division gives something else, versions may differ.
    def call(span: TimeSpan) -> float:
        found = span.ticks * (1 / unit)
        if unit == _UNITS["Milliseconds"] and abs(found) > _MOST_MILLISECONDS:
            return math.copysign(_MOST_MILLISECONDS, found)
        if found != span.ticks / unit:
            raise unsure("a total that depends on rounding")
        return found

    return call


def _whole(unit: int, modulus: int) -> Callable[[TimeSpan], int]:
    return lambda span: span.part(unit, modulus)


def _span(days: int, hours: int, minutes: int, seconds: int) -> TimeSpan:
    try:
        return TimeSpan((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND)
    except EvaluationError:
        raise EvaluationError("ArgumentOutOfRangeException") from None


define(
    "TimeSpan",
    properties_={
        **{f"{name}: int": _whole(unit, _MODULES[name]) for name, unit in _UNITS.items()},
        **{f"Total{name}: double": _total(unit) for name, unit in _UNITS.items()},
        "Ticks: long": lambda span: span.ticks,
    },
    methods={
        "Add(TimeSpan): TimeSpan": lambda one, other: TimeSpan(one.ticks + other.ticks),
        "Duration(): TimeSpan": lambda span: TimeSpan(abs(span.ticks)),
        "Negate(): TimeSpan": lambda span: TimeSpan(-span.ticks),
        "Subtract(TimeSpan): TimeSpan": lambda one, other: TimeSpan(one.ticks - other.ticks),
        "ToString(): string": str,
    },
    statics={
        **{
            f"From{unit}(double): TimeSpan": lambda value, scale=scale: TimeSpan(
                of_units(value, scale, "OverflowException")
            )
            for unit, scale in _SCALES.items()
        },
        "FromTicks(long): TimeSpan": TimeSpan,
    },
    constructors={
        "new(long): TimeSpan": TimeSpan,
        "new(int, int, int): TimeSpan": lambda *parts: _span(0, *parts),
        "new(int, int, int, int): TimeSpan": _span,
    },
)
CONSTANTS["TimeSpan.Zero"] = (_SPAN, TimeSpan(0))
