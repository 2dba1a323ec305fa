"""The response on its way to the caller, streamed chunk by chunk."""

import asyncio
from collections.abc import AsyncIterable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from sandbox.expressions.context import Response
from sandbox.gateway.bodies import IDLE
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import is_header_value, phrase
from sandbox.gateway.observe import StreamStoppedError
from sandbox.gateway.transport import Incoming

_BODILESS = frozenset({204, 205, 304})
"""Status codes whose responses have no body."""
_AUTOMATIC = ("Server", "Content-Type")
_DROP: web.ResponseKey[tuple[str, ...]] = web.ResponseKey("drop", tuple)


async def send(incoming: web.Request, exchange: Exchange) -> web.StreamResponse:
    """Send the response that the pipeline left. Each write waits for the caller, so a slow one slows the backend.

    A caller who reads nothing for `IDLE` seconds loses the connection.
    """
    response = exchange.response
    take_body(incoming, exchange)
    reply = _prepared(response, response.headers.copy(), keeps_length=incoming.method == "HEAD")
    reply[_DROP] = tuple(name for name in _AUTOMATIC if name not in response.headers)
    try:
        await reply.prepare(incoming)
        exchange.sent = len(response.body)
        if response.stream is not None:
            await _stream(reply, response.stream, exchange)
        async with asyncio.timeout(IDLE):
            await reply.write_eof()
    except (TimeoutError, aiohttp.ClientError, OSError):
        # Half a response went out: only a broken connection tells the caller so.
        if incoming.transport is not None:
            incoming.transport.abort()
    return reply


def _prepared(response: Response, headers: CIMultiDict[str], *, keeps_length: bool) -> web.StreamResponse:
    reason = response.reason if response.reason and is_header_value(response.reason) else phrase(response.status)
    if response.stream is None and not keeps_length:
        headers.popall("Content-Length", None)
    if response.stream is None and response.body:
        return web.Response(status=response.status, reason=reason, headers=headers, body=response.body)
    reply = web.StreamResponse(status=response.status, reason=reason, headers=headers)
    if response.stream is None and "Content-Length" not in headers and response.status not in _BODILESS:
        reply.content_length = 0
    return reply


async def _stream(reply: web.StreamResponse, stream: AsyncIterable[bytes], exchange: Exchange) -> None:
    try:
        async for chunk in stream:
            async with asyncio.timeout(IDLE):
                await reply.write(chunk)
            exchange.sent += len(chunk)
    except StreamStoppedError:
        return


def take_body(incoming: Incoming, exchange: Exchange) -> None:
    """Give up a body that may not follow the headers: the caller would take it for the next response.

    What an expression read without `preserveContent` is gone too.
    """
    response = exchange.response
    if response.body_consumed:
        response.body = b""
    if incoming.method != "HEAD" and response.status not in _BODILESS:
        return
    if response.stream is not None:
        exchange.drop_upstream()
        response.stream = None
    elif incoming.method == "HEAD":
        response.headers.popall("Content-Length", None)
        response.headers["Content-Length"] = str(len(response.body))
    response.body = b""
    if response.status in _BODILESS:
        response.headers.popall("Content-Length", None)


async def drop_automatic_headers(_incoming: web.Request, reply: web.StreamResponse) -> None:
    """Remove headers that aiohttp adds and nobody asked for."""
    for name in reply.get(_DROP, ()):
        reply.headers.popall(name, None)
