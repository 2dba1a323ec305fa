"""What `rate-limit` and `rate-limit-by-key` have in common: calls counted against a rate."""

from dataclasses import dataclass

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.limits.counters import known_as
from apim_emulator.gateway.limits.outputs import Output, header_name, output
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.witness import note, witness

MAX_CALLS = 2**31 - 1
_MAX_PERIOD = 300


@dataclass(frozen=True, slots=True)
class CallRate:
    """Calls allowed in a period."""

    calls: Value[int]
    period: Value[int]

    def check(self, exchange: Exchange, key: tuple[object, ...], needed: int, retry: Output) -> None:
        """Refuse a call for which there is no room."""
        counter, rate = exchange.services.counters.rates[key], self._rate(exchange)
        allowed = rate[1] - needed
        if counter.used(*rate) > allowed:
            seconds = counter.wait(allowed, *rate)
            used = int(counter.used(*rate))
            note("refused: {} of {} calls in {} s are used by key {}; room again in {} s",
                 used, rate[1], rate[2], known_as(key), seconds)  # fmt: skip
            retry.keep(exchange, seconds)
            raise Failure(
                429, f"Rate limit is exceeded. Try again in {seconds} seconds.", "RateLimitExceeded",
                detail="Rate limit is exceeded", headers={retry.header or "Retry-After": str(seconds)},
            )  # fmt: skip

    def count(self, exchange: Exchange, key: tuple[object, ...], amount: int) -> None:
        """Count a call."""
        counter, rate = exchange.services.counters.rates[key], self._rate(exchange)
        counter.add(amount, *rate)
        if witness.get() is not None:
            used = int(counter.used(*rate))
            note("counted {} for key {}: {} of {} calls in {} s are used",
                 amount, known_as(key), used, rate[1], rate[2])  # fmt: skip

    def left(self, exchange: Exchange, key: tuple[object, ...]) -> int:
        """Return the calls that there is still room for."""
        rate = self._rate(exchange)
        return max(0, int(rate[1] - exchange.services.counters.rates[key].used(*rate)))

    def _rate(self, exchange: Exchange) -> tuple[float, int, int]:
        return exchange.services.clock.now(), self.calls(exchange.context), self.period(exchange.context)


@dataclass(frozen=True, slots=True)
class RateOutputs:
    """What a rate policy reports after each run."""

    retry: Output
    remaining: Output
    total: str | None

    def report(self, exchange: Exchange, rate: CallRate, key: tuple[object, ...]) -> None:
        """Report the calls left and the calls allowed."""
        self.remaining.report(exchange, rate.left(exchange, key))
        if self.total is not None:
            exchange.response_headers[self.total] = str(rate.calls(exchange.context))


def call_rate(element: Element) -> CallRate:
    """Read `calls` and `renewal-period`, which may be expressions."""
    return CallRate(element.integer("calls", 1, MAX_CALLS), element.integer("renewal-period", 1, _MAX_PERIOD))


def literal_call_rate(element: Element) -> CallRate:
    """Read `calls` and `renewal-period`, known when loading."""
    for attribute in ("calls", "renewal-period"):
        element.literal(attribute)
    return call_rate(element)


def rate_outputs(element: Element) -> RateOutputs:
    """Read the names of headers and variables."""
    return RateOutputs(
        output(element, "retry-after", "Retry-After"),
        output(element, "remaining-calls"),
        header_name(element, "total-calls-header-name"),
    )
