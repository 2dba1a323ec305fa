"""The gateway's HTTP server.

It listens on plain HTTP on this machine, so an API's https-only protocol has no meaning here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from aiohttp import web
from yarl import URL

from apim_emulator.clock import Clock
from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.core import Core, Recorder, Tracer
from apim_emulator.gateway.diagnostics import Monitor
from apim_emulator.gateway.http.headers import HOPS, envelope, is_sound_head, phrase
from apim_emulator.gateway.http.reply import caller_request, send
from apim_emulator.gateway.http.transport import MAX_FIELD, MAX_LINE, MOST_HOPS, HttpTransport, hops
from apim_emulator.gateway.repeated import Repeated
from apim_emulator.model import Gateway, Reach
from apim_emulator.network import Network, is_loopback

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _without_details(record: logging.LogRecord) -> bool:
    """Drop what aiohttp adds to a broken request's log line: it quotes the header that broke it."""
    record.exc_info = record.exc_text = None
    return True


_http_log = logging.getLogger("apim_emulator.gateway.http")
_http_log.addFilter(_without_details)
_http_log.addFilter(Repeated())

_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "logger": _http_log,
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_FIELD,
    "max_headers": 100,
    "auto_decompress": False,
    "keepalive_timeout": 75.0,
    "lingering_time": 5.0,
}
"""How aiohttp reads requests.

A caller who goes away ends the upstream call, no header value is logged, a token of a caller in many groups fits, and
bodies keep their content encoding.
"""
_HEAD = 60.0
"""Seconds that a caller may take to send the headers."""
_ALIASES = ".azure-api.net"
"""End of the names that every service has."""
_THIS_MACHINE = "localhost"


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
        any_host: bool = False,
        certificate: Certificate | None = None,
    ) -> None:
        """Serve nothing until a gateway is loaded: every call is answered 404.

        `monitor` takes what the diagnostics of APIs record. Calls are answered under names of this machine and the
        service's own; with `any_host` under every name, which lets pages of other sites call the gateway (DNS
        rebinding). `certificate` is what every caller presents, since nobody comes with TLS.
        """
        self._certificate = certificate
        self._any_host = any_host
        self._network = network
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
            yield self._server(self._answer, lambda: self._gateway.from_internet, options)
        finally:
            await self._transport.close()

    def inside(self, **options: Any) -> web.Server:
        """Return what serves callers in the gateway's virtual network, while `running`."""
        return self._server(self._answer_inside, lambda: self._gateway.from_network, options)

    def _server(self, answer: Handler, reach: Callable[[], Reach], options: Mapping[str, Any]) -> web.Server:
        return _Server(answer, reach, {**_OPTIONS, **options}, self._network.gateway_ports)

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

    def _is_own(self, host: str) -> bool:
        """Tell whether a `Host` is of this machine or of the service."""
        name = _name(host)
        return name == _THIS_MACHINE or name in self._gateway.hosts or name.endswith(_ALIASES)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not is_sound_head(request.version, request.raw_path, request.headers):
            return _refused(400, "Bad Request")
        if not self._any_host and not self._is_own(request.host):
            return _refused(421, "Misdirected Request")
        hops.set(gone := _hops(request))
        if gone > MOST_HOPS:
            return _refused(508, "Loop Detected")
        if "Expect" in request.headers and not _told_to_continue(request):
            return _refused(417, "Expectation Failed")
        exchange = self._core.begin(request, self._certificate)
        try:
            await self._core.run(exchange)
            return await send(request, exchange)
        finally:
            self._core.end(exchange)


class _Server(web.Server):
    """A server whose refusals of unreadable requests look like the gateway's."""

    def __init__(
        self, handler: Handler, reach: Callable[[], Reach], options: Mapping[str, Any], ports: set[int]
    ) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            connection = request.protocol
            assert isinstance(connection, _Connection)  # noqa: S101 - the server makes no others
            connection.head_is_there()
            try:
                return await handler(request)
            finally:
                if request.content.is_eof():
                    connection.next_head()

        super().__init__(answer, request_factory=caller_request, handler_cancellation=True)
        self._options = dict(options)
        self._head = self._options.pop("head_timeout", _HEAD)
        self._reach = reach
        self._ports = ports

    def __call__(self) -> web.RequestHandler:
        kind = _NoConnection if self._reach() is Reach.UNREACHABLE else _Connection
        return kind(self, self._head, self._ports, self._options)


class _Connection(web.RequestHandler):
    """A connection whose caller has only so long to send each head.

    One timer looks after all heads of the connection: a timer for each would cost every call.
    """

    __slots__ = ("_answering", "_begun", "_patience", "_ports", "_timer")

    def __init__(self, server: web.Server, patience: float, ports: set[int], options: Mapping[str, Any]) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._patience = patience
        self._ports = ports
        self._answering = False
        self._begun: float | None = None
        """When the first bytes of the head arrived that is not there yet."""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        name = transport.get_extra_info("sockname")
        if isinstance(name, tuple):
            self._ports.add(name[1])
        self._look_again(self._patience)

    def data_received(self, data: bytes) -> None:
        if not self._answering and self._begun is None:
            self._begun = asyncio.get_running_loop().time()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def head_is_there(self) -> None:
        """Stop waiting for a head."""
        self._answering = True
        self._begun = None

    def next_head(self) -> None:
        """Wait for the next head once something of it arrives: what comes first may be the rest of a body."""
        self._answering = False

    def _look_again(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Refuse a caller who takes too long for a head, and close the connection."""
        waited = 0.0 if self._begun is None else asyncio.get_running_loop().time() - self._begun
        if waited < self._patience:
            self._look_again(self._patience - waited)
        elif self.transport is not None:
            body = envelope(408, phrase(408))
            head = f"HTTP/1.1 408 {phrase(408)}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            self.transport.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
            self.transport.close()

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


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """Return the name in a `Host`, in lower case and the same for every name of this machine."""
    url = URL(f"http://{host}")
    return _THIS_MACHINE if is_loopback(url) else (url.host or "").rstrip(".").lower()


def _hops(request: web.BaseRequest) -> int:
    """Read how often a call went from a gateway to one of this machine."""
    told = request.headers.get(HOPS)
    if told is None:
        return 0
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 4 else MOST_HOPS + 1


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
