"""`rate-limit-by-key`: refuses calls beyond a rate for each value of a key, shared by all scopes."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.limits.call_rate import MAX_CALLS, call_rate, rate_outputs
from apim_emulator.gateway.limits.counters import short
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site, deferred


def _compile(element: Element, site: Site) -> Run:
    rate, outputs = call_rate(element), rate_outputs(element)
    counter_key = element.text("counter-key")
    condition = element.boolean("increment-condition", default=True)
    amount = element.integer("increment-count", 0, MAX_CALLS, default=1)
    # The response decides what counts, so a call is counted, and one too many refused, a call late.
    after_response = element.flag("increment-after-response", default=False)
    late = after_response or element.computed("increment-condition") or element.computed("increment-count")
    location = site.location(element)

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        key = ("rate", short(counter_key(context)))

        async def count(exchange: Exchange) -> None:
            if condition(context):
                rate.count(exchange, key, amount(context))

        try:
            rate.check(exchange, key, 1 if late else max(1, amount(context)), outputs.retry)
            if late:
                exchange.on_end.append(deferred(count, location))
            else:
                await count(exchange)
        finally:
            outputs.report(exchange, rate, key)

    return run


POLICY = Policy("rate-limit-by-key", _compile, sections=("inbound",), missing_in=("Consumption",))
