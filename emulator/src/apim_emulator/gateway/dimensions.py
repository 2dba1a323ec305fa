"""The `dimension` elements of metric policies."""

from collections.abc import Callable, Mapping

from apim_emulator.gateway.backends.targets import Endpoint
from apim_emulator.gateway.context.objects import ApiInfo, Named, OperationInfo
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element, Value

_MAX = 10
"""Most dimensions of a policy: its schema has no more. Azure Monitor keeps ten of a metric, with the service's own."""


def _backend(exchange: Exchange) -> str:
    target = exchange.target
    if target is None or (isinstance(target, Endpoint) and target.id is None):
        return ""
    return target.name.rpartition(" ")[2]


def _id(thing: ApiInfo | OperationInfo | Named | None) -> str:
    return "" if thing is None else thing.id


DEFAULT_DIMENSIONS: Mapping[str, Callable[[Exchange], str]] = {
    "API ID": lambda exchange: _id(exchange.context.api),
    "Operation ID": lambda exchange: _id(exchange.context.operation),
    "Product ID": lambda exchange: _id(exchange.context.product),
    "User ID": lambda _: "",
    "Subscription ID": lambda exchange: _id(exchange.context.subscription),
    "Location": lambda _: "local",
    "Gateway ID": lambda _: "managed",
    "Backend ID": _backend,
}
"""Dimensions that need no value; the emulator has no users, and invents its location (inferred: what each holds)."""


class Dimensions:
    """The dimensions of a metric policy."""

    def __init__(self, element: Element) -> None:
        """Read the `dimension` elements; raises `RefusedError`."""
        self._own: list[tuple[Value[str], Value[str] | None]] = []
        nodes = element.children("dimension")
        if not nodes:
            element.refuse("needs at least one dimension")
        for node in nodes:
            own = Element(node)
            value = own.optional_text("value")
            if value is None and (own.literal("name") or "") not in DEFAULT_DIMENSIONS:
                node.refuse(f"needs a value; only {', '.join(DEFAULT_DIMENSIONS)} have their own", "value")
            self._own.append((own.text("name"), value))
            own.done()
        if len(nodes) > _MAX:
            element.refuse(f"at most {_MAX} dimensions")

    def named(self, exchange: Exchange) -> dict[str, str | None]:
        """Evaluate the dimensions; None: one that the gateway knows, asked for when the metric is sent."""
        context = exchange.context
        return {name(context): None if value is None else value(context) for name, value in self._own}


def filled(dimensions: Mapping[str, str | None], exchange: Exchange) -> dict[str, str]:
    """Give the dimensions that the gateway knows their values."""
    return {name: DEFAULT_DIMENSIONS[name](exchange) if value is None else value for name, value in dimensions.items()}
