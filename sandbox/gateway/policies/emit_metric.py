"""`emit-metric`: reports a custom metric."""

import math

from sandbox.expressions import Context, EvaluationError
from sandbox.gateway.dimensions import DEFAULT_DIMENSIONS, Dimensions, filled
from sandbox.gateway.element import Element, Value
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.policy import EVERYWHERE, Policy, Run, Site
from sandbox.gateway.telemetry import DEFAULT_NAMESPACE, Metric


def _compile(element: Element, _site: Site) -> Run:
    name = element.required_name("name")
    namespace = element.literal("namespace", DEFAULT_NAMESPACE) or DEFAULT_NAMESPACE
    value = _number(element)
    # Which dimensions this adds is inferred: all that the gateway knows.
    defaults = dict.fromkeys(DEFAULT_DIMENSIONS) if element.flag("default-dimensions", default=False) else {}
    dimensions = Dimensions(element)

    async def run(exchange: Exchange) -> None:
        own = filled({**defaults, **dimensions.named(exchange)}, exchange)
        exchange.metrics.append(Metric(namespace, name, value(exchange.context), own))

    return run


def _number(element: Element) -> Value[float]:
    if element.computed("value"):
        run = element.any_value("value")

        def evaluate(context: Context) -> float:
            found = run(context)
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise EvaluationError("InvalidCastException")
            return float(found)

        return evaluate
    text = element.literal("value", "1") or ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise element.refused("not a number", "value")
    return lambda _: number


POLICY = Policy("emit-metric", EVERYWHERE, _compile)
