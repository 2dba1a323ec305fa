"""`set-variable`: keeps a value for later policies of the same call."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site


def _compile(element: Element, _site: Site) -> Run:
    variable = element.needed(element.literal("name") or None, "attribute is missing", "name")
    value = element.any_value("value")

    async def run(exchange: Exchange) -> None:
        exchange.context.variables[variable] = value(exchange.context)

    return run


POLICY = Policy("set-variable", _compile)
