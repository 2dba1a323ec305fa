"""`send-one-way-request`: sends a request of the gateway's own and does not wait for what comes back."""

import asyncio

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.policies.send_request import DEFAULT_TIMEOUT, OwnRequest, read_message
from apim_emulator.gateway.telemetry import TraceEntry
from apim_emulator.gateway.witness import note

_MOST = 1000
"""Requests of one policy under way at a time; further ones are not sent."""


def _compile(element: Element, site: Site) -> Run:
    message = read_message(element, site)
    seconds = element.integer("timeout", 1, 2**31 - 1, DEFAULT_TIMEOUT)
    under_way: set[asyncio.Task[None]] = set()

    async def run(exchange: Exchange) -> None:
        """Make the request now and send it beside the call; a failure to send it fails nothing (inferred)."""
        request = await message.request(exchange)
        if len(under_way) >= _MOST:
            _not_sent(exchange, "too many requests under way")
            return
        note("sends it and does not wait for what comes of it")
        task = asyncio.create_task(_send(exchange, request, seconds(exchange.context)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        # It goes out in the order of the policies.
        await asyncio.sleep(0)

    return run


async def _send(exchange: Exchange, request: OwnRequest, seconds: float) -> None:
    try:
        await request.send(exchange.services.transport, seconds, "send-one-way-request")
    except Failure as failure:
        _not_sent(exchange, failure.reason)


def _not_sent(exchange: Exchange, reason: str) -> None:
    exchange.traces.append(TraceEntry("send-one-way-request", "error", f"not sent: {reason}"))


POLICY = Policy("send-one-way-request", _compile)
