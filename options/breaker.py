"""When the backends of a pool are left alone: their circuit breakers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from options.defaulted import Defaulted
from options.gateway import GatewaySku
from options.mistakes import Key, Mistake
from options.rules import Rules, boolean, distinct, matches, number

TRIP = "PT10S"
"""Time for which a failed account is not called if it does not say; server errors are usually short."""

MAX_RANGES = 10
"""Most ranges of status codes in a rule (API Management: backends)."""

_DURATION = re.compile(r"PT(?=\d)(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?")
_UNITS = (3600, 60, 1)
_LONGEST = 24 * 60 * 60
_CODES = re.compile(r"([2-5]\d\d)(?:-([2-5]\d\d))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerOptions:
    """The circuit breaker of each account in a pool: one rule, as API Management allows no more."""

    count: Defaulted[int] = 1
    """Failures within `interval` that open it. Defaults to 1: the failed call itself is tried again on another account,
    and the next priority is used only when all circuit breakers of the previous one are open."""
    interval: Defaulted[str] = "PT1M"
    """Period in which failures are counted, as an ISO 8601 duration of 1 second to 24 hours. Defaults to `PT1M`."""
    trip: Defaulted[str] = TRIP
    """Time for which the account is then not called, as an ISO 8601 duration of 1 second to 24 hours. Defaults to
    `PT10S`."""
    status_codes: Defaulted[list[str]] = field(default_factory=lambda: ["429", "500-599"])
    """Status codes that count as failures, each a code or a range, up to 10. Defaults to `429` and `500-599`. A failed
    connection always counts."""
    accept_retry_after: Defaulted[bool] = True
    """Whether an account's `Retry-After` replaces `trip`. Defaults to true."""


def duration(key: Key, value: object) -> Iterator[Mistake]:
    """Refuse text that is not an ISO 8601 duration of hours, minutes and seconds between 1 second and 24 hours."""
    if isinstance(value, str) and not (_DURATION.fullmatch(value) and 1 <= seconds(value) <= _LONGEST):
        problem = "is not valid; allowed: an ISO 8601 duration of 1 second to 24 hours, such as PT30S, PT1M or PT1H"
        yield Mistake(key=key, value=value, problem=problem)


def seconds(value: str) -> int:
    """Return the length of a duration that follows the rules."""
    match = _DURATION.fullmatch(value)
    parts = match.groups() if match else ()
    return sum(int(part or 0) * unit for part, unit in zip(parts, _UNITS, strict=False))


def code_range(codes: str) -> tuple[int, int]:
    """Return the first and the last status code of a range that follows the rules."""
    low, _, high = codes.partition("-")
    return int(low), int(high or low)


def _ordered(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, str) and _CODES.fullmatch(value):
        low, high = code_range(value)
        if low > high:
            problem = f"ends before it begins; write {high}-{low}"
            yield Mistake(key=key, value=value, problem=problem)


VALUES: Rules = {
    "count": (number(1, 10_000, "a whole number from 1 to 10000"),),
    "interval": (duration,),
    "trip": (duration,),
    "status_codes": (distinct,),
    "status_codes.*": (
        matches(_CODES.pattern, "a status code or a range within 200 to 599, such as 500-599"),
        _ordered,
    ),
    "accept_retry_after": (boolean,),
}


def check_breaker(breaker: BreakerOptions) -> Iterator[Mistake]:
    """Yield what is wrong with a circuit breaker."""
    if not breaker.status_codes:
        problem = "is empty; list at least one status code, or leave it out for 429 and 500-599"
        yield Mistake(key=("status_codes",), problem=problem)
    if len(breaker.status_codes) > MAX_RANGES:
        problem = f"has {len(breaker.status_codes)} entries; allowed: up to {MAX_RANGES}; join some into ranges"
        yield Mistake(key=("status_codes",), problem=problem)


def check_breaker_tier(breaker: BreakerOptions, sku: str | None) -> Iterator[Mistake]:
    """Refuse a circuit breaker where the pricing tier has none."""
    if sku == GatewaySku.CONSUMPTION and breaker != BreakerOptions():
        problem = "has no effect with the sku Consumption, which has no circuit breakers; remove it, or change the sku"
        yield Mistake(key=("breaker",), problem=problem)
