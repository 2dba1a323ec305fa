"""`cache-remove-value`: takes a value out of the cache."""

from apim_emulator.gateway.element import Element
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.policies.cache_lookup_value import CACHING_TYPES
from apim_emulator.gateway.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        exchange.services.values.remove(key(exchange.context))

    return run


POLICY = Policy("cache-remove-value", _compile)
