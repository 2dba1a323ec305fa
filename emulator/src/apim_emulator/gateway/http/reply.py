"""The response on its way to the caller, streamed chunk by chunk."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.http import StreamWriter
from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.bodies import IDLE
from apim_emulator.gateway.http.headers import is_header_value, phrase
from apim_emulator.gateway.http.observe import StreamStoppedError
from apim_emulator.gateway.http.transport import Incoming

_BODILESS = frozenset({204, 205, 304})
"""Status codes whose responses have no body."""
_AUTOMATIC = ("Server", "Content-Type")
"""Headers that aiohttp adds of its own accord."""
_AT_ONCE = 32 * 1024
"""Bytes that always fit between asyncio's buffer for an idle connection and its high-water mark of 64 KiB."""
_NO_WAIT = nullcontext()


class _Writer(StreamWriter):
    """Writes a response without the headers that aiohttp adds."""

    unwanted: tuple[str, ...] = ("Server",)

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None:
        """Write what is left of the headers."""
        for name in self.unwanted:
            headers.popall(name, None)
        await super().write_headers(status_line, headers)


def caller_request(
    message: Any, payload: Any, protocol: Any, _writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    """Make a caller's request, as `aiohttp.web.Server` asks for one."""
    loop = task.get_loop()
    return web.BaseRequest(message, payload, protocol, _Writer(protocol, loop), task, loop)


async def send(incoming: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
    """Send the response that the pipeline left. Each write waits for the caller, so a slow one slows the backend.

    A caller who reads nothing for `IDLE` seconds loses the connection.
    """
    response = exchange.response
    take_body(incoming, exchange)
    reply = _prepared(response, response.headers.copy(), keeps_length=incoming.method == "HEAD")
    if isinstance(incoming.writer, _Writer):
        incoming.writer.unwanted = tuple(name for name in _AUTOMATIC if name not in response.headers)
    try:
        await reply.prepare(incoming)
        exchange.sent = len(response.body)
        if response.stream is not None:
            await _stream(incoming, reply, response.stream, exchange)
        async with _patience(incoming, 0):
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


async def _stream(
    incoming: web.BaseRequest, reply: web.StreamResponse, stream: AsyncIterable[bytes], exchange: Exchange
) -> None:
    try:
        async for chunk in stream:
            async with _patience(incoming, len(chunk)):
                await reply.write(chunk)
            exchange.sent += len(chunk)
    except StreamStoppedError:
        return


def _patience(incoming: web.BaseRequest, size: int) -> AbstractAsyncContextManager[object]:
    """Limit the wait for a caller who does not read, where a write of `size` bytes can come to wait at all."""
    transport = incoming.transport
    if size <= _AT_ONCE and transport is not None and transport.get_write_buffer_size() == 0:
        return _NO_WAIT
    return asyncio.timeout(IDLE)


def take_body(incoming: Incoming, exchange: Exchange) -> None:
    """Drop a body that must not follow the headers: the caller would take it for the next response.

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
