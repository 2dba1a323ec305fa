"""The response on its way to the caller, streamed chunk by chunk."""

import aiohttp
from aiohttp import web

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import is_header_value, phrase

_AUTOMATIC = ("Server", "Content-Type")
_DROP: web.ResponseKey[tuple[str, ...]] = web.ResponseKey("drop", tuple)


async def send(incoming: web.Request, exchange: Exchange) -> web.StreamResponse:
    """Send the response that the pipeline left. Each write waits for the caller, so a slow one slows the backend."""
    response = exchange.response
    reason = response.reason if response.reason and is_header_value(response.reason) else phrase(response.status)
    headers = response.headers.copy()
    if response.stream is None:
        headers.popall("Content-Length", None)
        reply: web.StreamResponse = web.Response(
            status=response.status, reason=reason, headers=headers, body=response.body
        )
    else:
        reply = web.StreamResponse(status=response.status, reason=reason, headers=headers)
    reply[_DROP] = tuple(name for name in _AUTOMATIC if name not in response.headers)
    await reply.prepare(incoming)
    if response.stream is not None:
        try:
            async for chunk in response.stream:
                await reply.write(chunk)
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError):
            # Half a response went out: only a broken connection tells the caller so.
            if incoming.transport is not None:
                incoming.transport.abort()
            return reply
    await reply.write_eof()
    return reply


async def drop_automatic_headers(_incoming: web.Request, reply: web.StreamResponse) -> None:
    """Remove headers that aiohttp adds and nobody asked for."""
    for name in reply.get(_DROP, ()):
        reply.headers.popall(name, None)
