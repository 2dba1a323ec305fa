"""`trace`: adds an entry to the trace of the call."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element, Value, leaf
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.telemetry import TraceEntry

_SEVERITIES = ("verbose", "information", "error")


def _compile(element: Element, _site: Site) -> Run:
    source = element.text("source")
    severity = element.choice("severity", _SEVERITIES, "verbose")
    message_node = element.child("message")
    if (message_node is None) is not bool(element.node.text.strip()):
        element.refuse("needs a message, in an element or as its text")
    # The schema alone knows a message as text.
    message = _stripped(element.content()) if message_node is None else leaf(message_node, strip=True)
    metadata = []
    for node in element.children("metadata"):
        own = Element(node)
        metadata.append((own.text("name"), own.text("value")))
        own.done()

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        values = {name(context): value(context) for name, value in metadata}
        exchange.traces.append(TraceEntry(source(context), severity, message(context), values))

    return run


def _stripped(value: Value[str]) -> Value[str]:
    return lambda context: value(context).strip(" \t\r\n")


POLICY = Policy("trace", _compile)
