"""`cache-store-value`: keeps a value in the cache for a time."""

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.cache_lookup_value import CACHING_TYPES
from apim_emulator.gateway.witness import note


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    value = element.any_value("value")
    duration = element.integer("duration", 0, 2**31 - 1)
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        name, found, seconds = key(context), value(context), duration(context)
        if found is None:
            raise EvaluationError("ArgumentNullException")
        exchange.services.values.store(name, found, seconds)
        note("kept under key {} for {} s", name, seconds)

    return run


POLICY = Policy("cache-store-value", _compile)
