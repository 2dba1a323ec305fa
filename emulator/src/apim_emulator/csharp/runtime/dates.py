"""`DateTime`, `DateTimeOffset` and `TimeSpan` in ticks of 100 nanoseconds.

The gateway's own time zone is UTC, and its culture en-US (inferred: both are the defaults of Windows Server).
"""

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.values import DateTimeKind, describe
from apim_emulator.csharp.types import Type

SECOND = 10_000_000
MINUTE = 60 * SECOND
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

    def __str__(self) -> str:
        """`ToString()`."""
        return self.to_string("G")

    def to_string(self, pattern: str) -> str:
        """`ToString(format)` for the formats that are sure."""
        return _formatted(self, _custom(pattern), self.zone())

    @property
    def clock(self) -> "DateTime":
        """What a clock shows then: the date and time itself."""
        return self

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
    """`System.DateTimeOffset`: a point in time, compared by that alone, and how far a clock there is from UTC."""

    ticks: int
    """Those of UTC."""
    offset: int = field(default=0, compare=False)
    """Ticks that the clock is ahead of UTC, a whole number of minutes."""

    def __post_init__(self) -> None:
        if not (0 <= self.ticks <= MAX_TICKS and 0 <= self.ticks + self.offset <= MAX_TICKS):
            raise EvaluationError("ArgumentOutOfRangeException")

    def __lt__(self, other: "DateTimeOffset") -> bool:
        return self.ticks < other.ticks

    def __le__(self, other: "DateTimeOffset") -> bool:
        return self.ticks <= other.ticks

    def __str__(self) -> str:
        """`ToString()`: with the offset, which `G` leaves out."""
        return self.to_string(f"{STANDARD['G']} zzz")

    def to_string(self, pattern: str) -> str:
        """`ToString(format)`; `r` and `u` tell the time of UTC."""
        moment = DateTime(self.ticks) if pattern in {"r", "R", "u"} else self.clock
        return _formatted(moment, _custom(pattern), self.zone())

    @property
    def clock(self) -> DateTime:
        """What a clock shows then at its place."""
        return DateTime(self.ticks + self.offset)

    def shifted(self, ticks: int) -> "DateTimeOffset":
        """Add ticks and keep the offset."""
        return DateTimeOffset(self.ticks + ticks, self.offset)

    def zone(self) -> str:
        """Give the suffix that tells the offset."""
        minutes = abs(self.offset) // MINUTE
        return f"{'-' if self.offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


describe(TimeSpan, Type("TimeSpan"))
describe(DateTime, Type("DateTime"))
describe(DateTimeOffset, Type("DateTimeOffset"))

STANDARD = {
    **dict.fromkeys("oO", "yyyy-MM-ddTHH:mm:ss.fffffffK"),
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
    "d": "M/d/yyyy",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
}
"""Standard formats that are the same in every culture, and those of en-US that no version of Windows has changed."""


def _custom(pattern: str) -> str:
    """Write a format of one letter as it would be in full."""
    if len(pattern) != 1:
        return pattern
    if pattern not in STANDARD:
        raise unsure("a date format that depends on the culture")
    return STANDARD[pattern]


_TOKENS = re.compile(
    r"(?P<quoted>'[^'\\]*'|\"[^\"\\]*\")|\\(?P<escaped>.)|(?P<field>y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|K|z+|g+)"
    r"|(?P<literal>[-T Z_,;.:/]|[A-EI-JL-SU-YA-Zabceijklnopqruvwx0-9()|&=@#!+])",
    re.DOTALL,
)


def is_sure_format(pattern: str) -> bool:
    """Tell whether a format gives the same text in every culture that the gateway may have."""
    if len(pattern) == 1:
        return pattern in STANDARD
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
    "z": {1, 2, 3},
}


def _formatted(value: DateTime, pattern: str, zone: str) -> str:
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
        elif found["field"] == "K":
            text += zone
        elif found["field"][0] == "z":
            text += _offset(zone, len(found["field"]))
        else:
            text += _field(value, found["field"])
    return text


def _offset(zone: str, size: int) -> str:
    """Write how far from UTC a clock is; one that is nowhere in particular is here, where it is UTC."""
    hours = zone[:3] if zone not in {"", "Z"} else "+00"
    return {1: f"{hours[0]}{int(hours[1:])}", 2: hours}.get(size, hours + (zone[3:] or ":00"))


def _field(value: DateTime, letters: str) -> str:
    calendar, size = value.calendar, len(letters)
    if letters[0] == "f":
        return f"{value.ticks % SECOND:07}"[:size]
    if letters == "tt":
        return "AM" if calendar.hour < 12 else "PM"
    if letters[0] in "Md" and size > 2:
        name = _MONTHS[calendar.month - 1] if letters[0] == "M" else _DAYS[calendar.weekday()]
        return name if size == 4 else name[:3]
    number = {
        "y": calendar.year if size > 2 else calendar.year % 100,
        "M": calendar.month,
        "d": calendar.day,
        "H": calendar.hour,
        "h": calendar.hour % 12 or 12,
        "m": calendar.minute,
        "s": calendar.second,
    }[letters[0]]
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
    found = read_iso(text)
    if found is None:
        return None
    ticks, zone = found
    if zone is None:
        return DateTime(ticks)
    if not 0 <= ticks - zone.ticks <= MAX_TICKS:
        raise unsure(_NEARLY_DATE)
    return DateTime(ticks - zone.ticks, DateTimeKind.Utc if text.endswith("Z") else DateTimeKind.Local)


_NEARLY_DATE = "a JSON string that is nearly a date"


def read_iso(text: str) -> tuple[int, TimeSpan | None] | None:
    """Read a date in the form of ISO 8601: what the clock shows, in ticks, and how far ahead of UTC it is, if told.

    Gives None for what is no such date. Raises `StoppedError`: nearly one.
    """
    if not (18 < len(text) < 41 or text.startswith("/")) or _NEARLY.match(text) is None:
        return None
    found = _ISO.fullmatch(text)
    if found is None:
        raise unsure(_NEARLY_DATE)
    try:
        ticks = from_date(*(int(part) for part in found.groups()[:6]))
    except EvaluationError:
        raise unsure(_NEARLY_DATE) from None
    ticks += int((found[7] or "").ljust(7, "0"))
    zone = found[8]
    if zone in {None, "Z"}:
        return ticks, None if zone is None else TimeSpan(0)
    hours, minutes = int(zone[1:3]), int(zone[4:])
    if hours * 60 + minutes > 14 * 60 or minutes > 59:
        raise unsure(_NEARLY_DATE)
    return ticks, TimeSpan((hours * 60 + minutes) * MINUTE * (1 if zone[0] == "+" else -1))
