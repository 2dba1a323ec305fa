"""`emit-metric`: reports a custom metric."""

from apim_emulator.gateway.dimensions import DEFAULT_DIMENSIONS, Dimensions, filled
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.telemetry import DEFAULT_NAMESPACE, Metric


def _compile(element: Element, _site: Site) -> Run:
    name = element.required_name("name")
    namespace = element.literal("namespace", DEFAULT_NAMESPACE) or DEFAULT_NAMESPACE
    value = element.double("value", default=1)
    # Which dimensions this adds is inferred: all that the gateway knows.
    defaults = dict.fromkeys(DEFAULT_DIMENSIONS) if element.flag("default-dimensions", default=False) else {}
    dimensions = Dimensions(element)

    async def run(exchange: Exchange) -> None:
        own = filled({**defaults, **dimensions.named(exchange)}, exchange)
        exchange.metrics.append(Metric(namespace, name, value(exchange.context), own))

    return run


POLICY = Policy("emit-metric", _compile)
