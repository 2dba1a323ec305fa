"""`cache-remove-value`: takes a value out of the cache."""

from policies.cache_remove_value import CacheRemoveValue
from sandbox.gateway.element import Element
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policies.cache_lookup_value import CACHING_TYPES
from sandbox.gateway.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        exchange.services.values.remove(key(exchange.context))

    return run


POLICY = Policy(CacheRemoveValue, _compile)
