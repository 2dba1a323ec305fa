"""Circuit breakers of backends (API Management: "Backends"; ARM: `BackendCircuitBreaker`)."""

import re
from collections.abc import Mapping
from typing import Any

from apim_emulator.model import CircuitBreaker

_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,3})?)S)?)?", re.ASCII)
"""ISO 8601 durations without years and months, which have no fixed length."""
_UNITS = (86_400, 3_600, 60, 1)
_PATH = "circuitBreaker.rules"
_MOST = 10


class RuleError(ValueError):
    """A rule that makes no sense, with the property that is wrong."""

    def __init__(self, message: str, path: str) -> None:
        """Keep the property's path below the backend's."""
        super().__init__(message)
        self.path = path


def circuit_breaker(backend: Mapping[str, Any]) -> CircuitBreaker | None:
    """Read the one rule of a backend's properties, if it has one; raises `RuleError`."""
    rules = (backend.get("circuitBreaker") or {}).get("rules") or ()
    if not rules:
        return None
    if len(rules) > 1 or backend.get("pool"):
        raise RuleError("one circuit breaker rule for a backend, and none for a pool", _PATH)
    rule = rules[0]
    condition = rule.get("failureCondition") or {}
    count, percentage = condition.get("count"), condition.get("percentage")
    if (count is None) == (percentage is None):
        raise RuleError("failureCondition needs either count or percentage", f"{_PATH}.failureCondition")
    if count is not None and count < 1:
        raise RuleError(f"count {count} must be at least 1", f"{_PATH}.failureCondition.count")
    if percentage is not None and not 1 <= percentage <= 100:
        raise RuleError(f"percentage {percentage} is not 1 to 100", f"{_PATH}.failureCondition.percentage")
    ranges, reasons = condition.get("statusCodeRanges") or (), condition.get("errorReasons") or ()
    if not ranges and not reasons:
        raise RuleError("failureCondition needs statusCodeRanges or errorReasons", f"{_PATH}.failureCondition")
    for name, given in (("statusCodeRanges", ranges), ("errorReasons", reasons)):
        if len(given) > _MOST:
            raise RuleError(f"{name} has {len(given)} entries; {_MOST} are allowed", f"{_PATH}.failureCondition.{name}")
    return CircuitBreaker(
        interval=_seconds(condition, "interval", least=1),
        trip_duration=_seconds(rule, "tripDuration", least=0),
        count=count,
        percentage=percentage,
        status_codes=tuple(_range(one) for one in ranges),
        error_reasons=tuple(str(reason) for reason in reasons),
        accept_retry_after=bool(rule.get("acceptRetryAfter")),
    )


def _range(given: Mapping[str, Any]) -> tuple[int, int]:
    low, high = given.get("min"), given.get("max")
    if low is None or high is None or not 200 <= low <= high <= 599:
        raise RuleError(
            f"min {low} and max {high} are no range within 200 to 599", f"{_PATH}.failureCondition.statusCodeRanges"
        )
    return int(low), int(high)


def _seconds(holder: Mapping[str, Any], name: str, *, least: float) -> float:
    text = str(holder.get(name) or "")
    match = _DURATION.fullmatch(text)
    parts = match.groups() if match else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, _UNITS, strict=False) if part)
    if not any(parts) or seconds < least:
        raise _not_a_duration(name, text)
    return seconds


def _not_a_duration(name: str, text: str) -> RuleError:
    return RuleError(f"{name} {text!r} is not an ISO 8601 duration such as PT1M", f"{_PATH}.{name}")
