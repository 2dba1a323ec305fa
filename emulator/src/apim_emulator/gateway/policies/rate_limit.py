"""`rate-limit`: refuses the calls of a subscription beyond a rate."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.limits.call_rate import literal_call_rate, rate_outputs
from apim_emulator.gateway.limits.scoped import scoped_limits
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note


def _compile(element: Element, _site: Site) -> Run:
    outputs = rate_outputs(element)
    rates = list(scoped_limits(element, literal_call_rate))
    definition = object()

    async def run(exchange: Exchange) -> None:
        """Let calls without a subscription pass; a refused call counts nowhere (inferred)."""
        context = exchange.context
        if context.subscription is None:
            note("counts nothing: the call has no subscription")
            return
        subscription = context.subscription.id
        found = [(part.limit, (definition, number, subscription)) for number, part in enumerate(rates)
                 if part.covers(context)]  # fmt: skip
        try:
            for rate, key in found:
                rate.check(exchange, key, 1, outputs.retry)
            for rate, key in found:
                rate.count(exchange, key, 1)
        finally:
            outputs.report(exchange, *found[0])

    return run


POLICY = Policy(
    "rate-limit",
    _compile,
    sections=("inbound",),
    scopes=(
        "product",
        "api",
        "operation",
    ),
    once=True,
)
