"""`cache-remove-value`: takes a value out of the cache."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.cache_lookup_value import CACHING_TYPES


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        exchange.services.values.remove(key(exchange.context))

    return run


POLICY = Policy("cache-remove-value", _compile)
