"""The gateway's HTTP server.

It listens on plain HTTP on this machine, so an API's https-only protocol has no meaning here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.core import Core, Recorder, Tracer
from apim_emulator.gateway.diagnostics import Monitor
from apim_emulator.gateway.http.headers import envelope, is_sound_head, phrase
from apim_emulator.gateway.http.reply import caller_request, send
from apim_emulator.gateway.http.transport import MAX_FIELD, MAX_LINE, HttpTransport
from apim_emulator.model import Gateway, Reach
from apim_emulator.network import Network


def _without_details(record: logging.LogRecord) -> bool:
    """Drop what aiohttp adds to a broken request's log line: it quotes the header that broke it."""
    record.exc_info = record.exc_text = None
    return True


_http_log = logging.getLogger("apim_emulator.gateway.http")
_http_log.addFilter(_without_details)

_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "logger": _http_log,
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_FIELD,
    "max_headers": 100,
    "auto_decompress": False,
    "keepalive_timeout": 60.0,
    "lingering_time": 5.0,
}
"""How aiohttp reads requests.

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
        *,
        monitor: Monitor | None = None,
    ) -> None:
        """Serve nothing until a gateway is loaded: every call is answered 404.

        `monitor` takes what the diagnostics of APIs record.
        """
        self._transport = HttpTransport(network)
        self._core = Core(self._transport, identities, clock, recorder, tracer, monitor=monitor)
        self._gateway = Gateway(name="", sku="", apis=())

    def load(self, gateway: Gateway) -> None:
        """Serve another state of the gateway from the next call on; caches start anew.

        Raises `PolicyLoadError`; the state before then stays.
        """
        self._core.load(gateway)
        self._gateway = gateway
        self._transport.private_hosts = gateway.private_hosts

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[web.Server]:
        """Be ready to call backends; gives what `aiohttp.web.ServerRunner` runs, with other options of aiohttp's.

        It serves callers on the internet. A server without an application: there are no routes, and each layer is paid
        for by every call.
        """
        await self._transport.open()
        try:
            yield _Server(self._answer, lambda: self._gateway.from_internet, {**_OPTIONS, **options})
        finally:
            await self._transport.close()

    def inside(self, **options: Any) -> web.Server:
        """Return what serves callers in the gateway's virtual network, while `running`."""
        return _Server(self._answer_inside, lambda: self._gateway.from_network, {**_OPTIONS, **options})

    async def _answer_inside(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._gateway.from_network is Reach.FORBIDDEN:
            return self._forbidden(request)
        return await self._serve(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._gateway.from_internet is Reach.FORBIDDEN:
            return self._forbidden(request)
        return await self._serve(request)

    def _forbidden(self, request: web.BaseRequest) -> web.Response:
        """Refuse a call because of where it comes from ("Connect privately to API Management", Test from internet)."""
        service = f"'Microsoft.ApiManagement/service/{self._gateway.name}'"
        return _refused(
            403,
            f"Request originated from client public IP address {request.remote}, public network access on this "
            f"{service} is disabled. To connect to {service}, please use the Private Endpoint from inside your virtual "
            "network.",
        )

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not is_sound_head(request.version, request.raw_path, request.headers):
            return _refused(400, "Bad Request")
        if "Expect" in request.headers and not _told_to_continue(request):
            return _refused(417, "Expectation Failed")
        exchange = self._core.begin(request)
        try:
            await self._core.run(exchange)
            return await send(request, exchange)
        finally:
            self._core.end(exchange)


class _Server(web.Server):
    """A server whose refusals of unreadable requests look like the gateway's."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        reach: Callable[[], Reach],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(handler, request_factory=caller_request, handler_cancellation=True)
        self._options = options
        self._reach = reach

    def __call__(self) -> web.RequestHandler:
        kind = _NoConnection if self._reach() is Reach.UNREACHABLE else _Connection
        return kind(self, loop=asyncio.get_running_loop(), **self._options)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Say what is wrong by the status alone: aiohttp's text quotes the line that it could not read."""
        super().handle_error(request, status, exc, message)
        return _refused(status, phrase(status))


class _NoConnection(_Connection):
    """Ends a connection at once: there is nothing at the address for this caller."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            self.transport.abort()


def _told_to_continue(request: web.BaseRequest) -> bool:
    """Let a caller that waits for it send the body; False where it waits for something else (RFC 9110, 10.1.1)."""
    if request.version < (1, 1):
        return True
    if request.headers["Expect"].lower() != "100-continue" or request.transport is None:
        return False
    request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return True


def _refused(status: int, message: str) -> web.Response:
    """Refuse a request with an unsound head and close the connection: where the next request begins is uncertain."""
    body = envelope(status, message)
    reply = web.Response(status=status, body=body, headers={"Content-Type": "application/json"})
    reply.force_close()
    return reply
