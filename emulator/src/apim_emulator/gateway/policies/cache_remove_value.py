"""`cache-remove-value`: takes a value out of the cache."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.cache_lookup_value import CACHING_TYPES
from apim_emulator.gateway.witness import note


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        name = key(exchange.context)
        removed = exchange.services.values.remove(name)
        note("key {}: {}", name, "removed" if removed else "nothing was kept")

    return run


POLICY = Policy("cache-remove-value", _compile)
