"""`quota`: refuses the calls of a subscription beyond a volume."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.limits.call_quota import call_quota
from apim_emulator.gateway.limits.quota_counter import every
from apim_emulator.gateway.limits.scoped import scoped_limits
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note


def _compile(element: Element, _site: Site) -> Run:
    seconds = element.required_whole("renewal-period", 0, 2**31 - 1)
    quotas = list(scoped_limits(element, call_quota))
    definition = object()

    async def run(exchange: Exchange) -> None:
        """Let calls without a subscription pass; windows start when the gateway was loaded, as if subscribed then."""
        context, services = exchange.context, exchange.services
        if context.subscription is None:
            note("counts nothing: the call has no subscription")
            return
        window = every(seconds, services.counters.started)(services.clock.now())
        found = [(part.limit, (definition, number, context.subscription.id)) for number, part in enumerate(quotas)
                 if part.covers(context)]  # fmt: skip
        for quota, key in found:
            quota.check(exchange, key, window, 1)
        for quota, key in found:
            quota.count(exchange, key, window, 1)

    return run


POLICY = Policy("quota", _compile, sections=("inbound",), scopes=("product",), once=True)
