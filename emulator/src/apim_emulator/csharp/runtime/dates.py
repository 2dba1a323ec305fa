"""`DateTime`, `DateTimeOffset` and `TimeSpan` in ticks of 100 nanoseconds.

The gateway's own time zone is UTC (inferred).
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.values import DateTimeKind, describe
from apim_emulator.csharp.types import Type

SECOND = 10_000_000
DAY = 86_400 * SECOND
UNIX_EPOCH = 621_355_968_000_000_000
MAX_TICKS = 3_155_378_975_999_999_999
_MAX_SPAN = 2**63 - 1
_START = datetime(1, 1, 1)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, order=True)
class TimeSpan:
    """`System.TimeSpan`."""

    ticks: int

    def __post_init__(self) -> None:
        if not -_MAX_SPAN - 1 <= self.ticks <= _MAX_SPAN:
            raise EvaluationError("OverflowException")

    def __str__(self) -> str:
        """`[-][d.]hh:mm:ss[.fffffff]`."""
        days, rest = divmod(abs(self.ticks), DAY)
        seconds, fraction = divmod(rest, SECOND)
        text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        text += f".{fraction:07}" if fraction else ""
        return ("-" if self.ticks < 0 else "") + (f"{days}." if days else "") + text

    def part(self, unit: int, modulus: int) -> int:
        """One component, with the span's sign, such as `Hours`."""
        value = abs(self.ticks) // unit % modulus if modulus else abs(self.ticks) // unit
        return -value if self.ticks < 0 else value


@dataclass(frozen=True, slots=True)
class DateTime:
    """`System.DateTime`."""

    ticks: int
    kind: Enum = DateTimeKind.Unspecified

    def __post_init__(self) -> None:
        if not 0 <= self.ticks <= MAX_TICKS:
            raise EvaluationError("ArgumentOutOfRangeException")

    def __eq__(self, other: object) -> bool:
        """Compare the ticks; the kind does not count."""
        return isinstance(other, DateTime) and other.ticks == self.ticks

    def __lt__(self, other: "DateTime") -> bool:
        return self.ticks < other.ticks

    def __le__(self, other: "DateTime") -> bool:
        return self.ticks <= other.ticks

    def __hash__(self) -> int:
        return hash(self.ticks)

    @property
    def calendar(self) -> datetime:
        """The date and time of day, without what is below a microsecond."""
        return _START + timedelta(microseconds=self.ticks // 10)

    def shifted(self, ticks: int) -> "DateTime":
        """Add ticks and keep the kind."""
        return DateTime(self.ticks + ticks, self.kind)

    def to_string(self, pattern: str) -> str:
        """`ToString(format)` for the formats that no culture changes."""
        if len(pattern) == 1:
            if pattern in "oO":
                return self.to_string("yyyy-MM-ddTHH:mm:ss.fffffff") + self.zone()
            pattern = STANDARD.get(pattern, "")
            if not pattern:
                raise unsure("a date format that depends on the culture")
        return _formatted(self, pattern)

    def zone(self) -> str:
        """Give the suffix that tells the kind."""
        if self.kind is DateTimeKind.Utc:
            return "Z"
        return "+00:00" if self.kind is DateTimeKind.Local else ""

    def iso(self) -> str:
        """As Json.NET writes it: no fraction where there is none, else without its trailing zeros."""
        fraction = self.ticks % SECOND
        text = self.to_string("yyyy-MM-ddTHH:mm:ss")
        return text + (f".{fraction:07}".rstrip("0") if fraction else "") + self.zone()


@dataclass(frozen=True, slots=True)
class DateTimeOffset:
    """`System.DateTimeOffset`: a point in time, here always shown in UTC."""

    ticks: int

    def __post_init__(self) -> None:
        if not 0 <= self.ticks <= MAX_TICKS:
            raise EvaluationError("ArgumentOutOfRangeException")

    def __lt__(self, other: "DateTimeOffset") -> bool:
        return self.ticks < other.ticks

    def __le__(self, other: "DateTimeOffset") -> bool:
        return self.ticks <= other.ticks

    def to_string(self, pattern: str) -> str:
        """`ToString(format)`; `o` ends with the offset."""
        local = DateTime(self.ticks, DateTimeKind.Local)
        if pattern in {"o", "O"} or len(pattern) > 1 or pattern in STANDARD:
            return local.to_string(pattern)
        raise unsure("a date format that depends on the culture")


describe(TimeSpan, Type("TimeSpan"))
describe(DateTime, Type("DateTime"))
describe(DateTimeOffset, Type("DateTimeOffset"))

STANDARD = {
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
}
"""Standard formats that are the same in every culture, besides `o`."""

_TOKENS = re.compile(
    r"(?P<quoted>'[^'\\]*'|\"[^\"\\]*\")|\\(?P<escaped>.)|(?P<field>y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|K|z+|g+)"
    r"|(?P<literal>[-T Z_,;.:/]|[A-EI-JL-SU-YA-Zabceijklnopqruvwx0-9()|&=@#!+])",
    re.DOTALL,
)


def is_sure_format(pattern: str) -> bool:
    """Tell whether a format gives the same text in every culture that the gateway may have."""
    if len(pattern) == 1:
        return pattern in STANDARD or pattern in {"o", "O"}
    place = 0
    while place < len(pattern):
        found = _TOKENS.match(pattern, place)
        if found is None:
            return False
        field = found["field"]
        if field is not None and (field[0] not in _FIELDS or len(field) not in _FIELDS[field[0]]):
            return False
        place = found.end()
    return bool(pattern)


_FIELDS = {
    "y": {2, 4},
    "M": {1, 2, 3, 4},
    "d": {1, 2, 3, 4},
    "H": {1, 2},
    "h": {1, 2},
    "m": {1, 2},
    "s": {1, 2},
    "f": set(range(1, 8)),
    "F": set(range(1, 8)),
    "t": {2},
    "K": {1},
}


def _formatted(value: DateTime, pattern: str) -> str:
    if not is_sure_format(pattern):
        raise unsure("a date format that is not supported")
    text = ""
    for found in _TOKENS.finditer(pattern):
        if found["quoted"] is not None:
            text += found["quoted"][1:-1]
        elif found["field"] is None:
            text += found["escaped"] or found["literal"]
        elif found["field"][0] == "F":
            digits = _field(value, "f" * len(found["field"])).rstrip("0")
            text = text.removesuffix(".") if not digits else text + digits
        else:
            text += _field(value, found["field"])
    return text


def _field(value: DateTime, field: str) -> str:
    calendar, size = value.calendar, len(field)
    if field[0] == "f":
        return f"{value.ticks % SECOND:07}"[:size]
    if field == "K":
        return value.zone()
    if field == "tt":
        return "AM" if calendar.hour < 12 else "PM"
    if field[0] in "Md" and size > 2:
        name = _MONTHS[calendar.month - 1] if field[0] == "M" else _DAYS[calendar.weekday()]
        return name if size == 4 else name[:3]
    number = {
        "y": calendar.year if size > 2 else calendar.year % 100,
        "M": calendar.month,
        "d": calendar.day,
        "H": calendar.hour,
        "h": calendar.hour % 12 or 12,
        "m": calendar.minute,
        "s": calendar.second,
    }[field[0]]
    return f"{number:0{size}}"


def from_unix(seconds: float) -> int:
    """Turn Unix time into ticks."""
    return UNIX_EPOCH + round(seconds * 1_000_000) * 10


def from_date(year: int, month: int, day: int, *time: int) -> int:
    """Turn a date, with hour, minute and second or without, into ticks as the constructor of `DateTime` does."""
    try:
        whole = datetime(year, month, day, *time) - _START  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        raise EvaluationError("ArgumentOutOfRangeException") from None
    return (whole.days * 86_400 + whole.seconds) * SECOND


def of_units(value: float, scale: float, too_large: str) -> int:
    """Ticks of a fractional number of units of `scale` milliseconds, rounded to milliseconds as .NET Framework does.

    Later .NET keeps the fraction, so a value with one ends the evaluation; `too_large` names what .NET throws.
    """
    exact = value * scale
    if math.isnan(exact):
        raise unsure("a time of NaN")
    if abs(exact) > 9e14:
        raise EvaluationError(too_large)
    if exact != int(exact):
        raise unsure("a time with a fraction of a millisecond")
    return int(exact) * 10_000


_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_NEARLY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|/Date\(")


def json_date(text: str) -> DateTime | None:
    """Recognize a date in a JSON string as Json.NET does by default; None for another string.

    Raises `StoppedError`: a string so close to a date that it is not sure whether Json.NET takes it for one.
    """
    if not (18 < len(text) < 41 or text.startswith("/")) or _NEARLY.match(text) is None:
        return None
    found = _ISO.fullmatch(text)
    if found is None:
        raise unsure("a JSON string that is nearly a date")
    numbers = [int(part) for part in found.groups()[:6]]
    try:
        ticks = from_date(*numbers)
    except EvaluationError:
        raise unsure("a JSON string that is nearly a date") from None
    ticks += int((found[7] or "").ljust(7, "0"))
    zone = found[8]
    if zone is None:
        return DateTime(ticks)
    if zone == "Z":
        return DateTime(ticks, DateTimeKind.Utc)
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    if int(zone[1:3]) > 14 or int(zone[4:]) > 59:
        raise unsure("a JSON string that is nearly a date")
    return DateTime(ticks - (minutes if zone[0] == "+" else -minutes) * 60 * SECOND, DateTimeKind.Local)
