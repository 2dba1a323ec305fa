"""`log-to-eventhub`: sends a message to an event hub, which is here a record of the call."""

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.telemetry import EventHubMessage

_LARGEST = 200 * 1024
"""Bytes of a message; the rest is cut off."""


def _compile(element: Element, _site: Site) -> Run:
    logger = element.required_name("logger-id")
    partition = element.whole("partition-id", 0, 2**31 - 1)
    key = element.optional_text("partition-key")
    if partition is not None and key is not None:
        element.refuse("partition-id and partition-key exclude each other", "partition-key")
    message = element.content()

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        text = message(context).encode()[:_LARGEST].decode(errors="ignore")
        found = EventHubMessage(logger, text, partition, None if key is None else key(context))
        exchange.events.append(found)

    return run


POLICY = Policy("log-to-eventhub", _compile)
