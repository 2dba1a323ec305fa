"""What `quota` and `quota-by-key` have in common: calls and kilobytes counted in fixed windows."""

from dataclasses import dataclass

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.limits.counters import known_as
from apim_emulator.gateway.limits.quota_counter import Window, clock_time, seconds_left
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.witness import note

_MAX = 2**31 - 1
_KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class CallQuota:
    """Calls and kilobytes allowed in a window."""

    calls: int | None
    kilobytes: int | None

    def check(self, exchange: Exchange, key: tuple[object, ...], window: Window, needed: int) -> None:
        """Refuse a call once the quota is used up."""
        counter = exchange.services.counters.quotas[key]
        if self.calls is not None and counter.used("calls", window) + needed > self.calls:
            note("refused: {} of {} calls are used by key {}", counter.used("calls", window), self.calls, known_as(key))
            raise _exceeded("call volume", window, exchange)
        if self.kilobytes is not None and counter.used("bytes", window) >= self.kilobytes * _KILOBYTE:
            used = counter.used("bytes", window) // _KILOBYTE
            note("refused: {} of {} KB are used by key {}", used, self.kilobytes, known_as(key))
            raise _exceeded("bandwidth", window, exchange)

    def count(self, exchange: Exchange, key: tuple[object, ...], window: Window, amount: int) -> None:
        """Count a call now, and its bytes when they have gone out: bodies of request and response (inferred)."""
        counter = exchange.services.counters.quotas[key]
        counter.add("calls", amount, window)
        left = seconds_left(window, exchange.services.clock.now())
        if self.calls is not None:
            note("counted {} for key {}: {} of {} calls are used, renewed in {} s", amount, known_as(key),
                 counter.used("calls", window), self.calls, left)  # fmt: skip
        if self.kilobytes is not None:
            note("{} of {} KB are used by key {} before this call, renewed in {} s",
                 counter.used("bytes", window) // _KILOBYTE, self.kilobytes, known_as(key), left)  # fmt: skip
            exchange.on_close.append(lambda done: counter.add("bytes", _size(done), window))


def call_quota(element: Element) -> CallQuota:
    """Read `calls` and `bandwidth`."""
    calls, kilobytes = element.whole("calls", 1, _MAX), element.whole("bandwidth", 1, 2**63 - 1)
    if calls is None and kilobytes is None:
        element.refuse("needs calls, bandwidth or both")
    return CallQuota(calls, kilobytes)


def _size(exchange: Exchange) -> int:
    received = exchange.incoming.content_length or 0 if exchange.body is None else len(exchange.body)
    return received + exchange.sent


def _exceeded(what: str, window: Window, exchange: Exchange) -> Failure:
    """Make the refusal (inferred: text and header of a quota that is never renewed)."""
    left = seconds_left(window, exchange.services.clock.now())
    if left is None:
        return Failure(403, f"Out of {what} quota.", "QuotaExceeded")
    text = f"Out of {what} quota. Quota will be replenished in {clock_time(left)}."
    return Failure(403, text, "QuotaExceeded", headers={"Retry-After": str(left)})
