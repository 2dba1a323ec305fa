"""`cache-lookup-value`: reads a value of the cache into a variable."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

CACHING_TYPES = ("prefer-external", "external", "internal")
"""The emulator has one cache, which stands in for each of them."""


def _compile(element: Element, _site: Site) -> Run:
    key = element.text("key")
    variable = element.required_name("variable-name")
    default = element.any_value("default-value") if element.has("default-value") else None
    element.choice("caching-type", CACHING_TYPES, "prefer-external")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        name = key(context)
        found, value = exchange.services.values.lookup(name)
        note("{} for key {}", "hit" if found else "miss", name)
        if found:
            context.variables[variable] = value
        elif default is not None:
            context.variables[variable] = default(context)

    return run


POLICY = Policy("cache-lookup-value", _compile)
