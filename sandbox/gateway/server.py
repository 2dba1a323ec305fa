"""The gateway's HTTP server.

It listens on plain HTTP on this machine, so an API's https-only protocol has no meaning here.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.clock import Clock
from sandbox.gateway.core import Core, Recorder, Tracer
from sandbox.gateway.http import envelope, is_sound_head
from sandbox.gateway.identity import TokenSource
from sandbox.gateway.reply import drop_automatic_headers, send
from sandbox.gateway.transport import MAX_FIELD, MAX_LINE, HttpTransport
from sandbox.model import Gateway
from sandbox.network import Network


def _without_details(record: logging.LogRecord) -> bool:
    """Drop what aiohttp adds to a broken request's log line: it quotes the header that broke it."""
    record.exc_info = record.exc_text = None
    return True


_http_log = logging.getLogger("sandbox.gateway.http")
_http_log.addFilter(_without_details)

RUNNER_OPTIONS: Mapping[str, Any] = {
    "handler_cancellation": True,
    "access_log": None,
    "logger": _http_log,
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_FIELD,
    "max_headers": 100,
    "auto_decompress": False,
    "keepalive_timeout": 60.0,
    "lingering_time": 5.0,
}
"""What `aiohttp.web.AppRunner` needs to serve `GatewayServer.app`.

A caller who goes away ends the upstream call, no header value is logged, a token of a caller in many groups fits, and
bodies keep their content encoding. `keepalive_timeout` is also how long a caller may take to send the headers.
"""


class GatewayServer:
    """Serves the APIs of one deployed gateway by running the policies that were deployed."""

    def __init__(
        self,
        network: Network,
        identities: TokenSource,
        clock: Clock,
        recorder: Recorder | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """Serve nothing until a gateway is loaded: every call is answered 404.

        Run `app` with `RUNNER_OPTIONS`.
        """
        self._transport = HttpTransport(network)
        self._core = Core(self._transport, identities, clock, recorder, tracer)
        self.app = web.Application(middlewares=[self._answer], client_max_size=64 * 1024 * 1024)
        self.app.cleanup_ctx.append(self._client)
        self.app.on_response_prepare.append(drop_automatic_headers)

    def load(self, gateway: Gateway) -> None:
        """Serve another state of the gateway from the next call on; caches start anew.

        Raises `PolicyLoadError`; the state before then stays.
        """
        self._core.load(gateway)

    async def _client(self, _app: web.Application) -> AsyncIterator[None]:
        await self._transport.open()
        yield
        await self._transport.close()

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer every request; the application has no routes of its own."""
        del handler
        if not is_sound_head(request.version, request.headers):
            return _bad_request()
        exchange = self._core.begin(request)
        try:
            await self._core.run(exchange)
            return await send(request, exchange)
        finally:
            self._core.end(exchange)


def _bad_request() -> web.Response:
    """Refuse a request whose head is not sound, and the connection with it: where the next one begins is not sure."""
    reply = web.Response(status=400, body=envelope(400, "Bad Request"), headers={"Content-Type": "application/json"})
    reply.force_close()
    return reply
