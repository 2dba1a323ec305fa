"""Requests that come in, and what sends the gateway's own requests.

HTTP is one pair of them; with another pair the same policies run without a socket.
"""

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Protocol

import aiohttp
from aiohttp.payload import BytesPayload
from aiohttp.typedefs import LooseHeaders
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.http.client_certificates import presenting
from apim_emulator.gateway.http.headers import HOPS
from apim_emulator.network import Network, is_loopback

MOST_HOPS = 8
"""Calls from gateways to gateways of this machine within one call; one more is a loop."""
hops: ContextVar[int] = ContextVar("hops", default=0)
"""How often the call at hand went from a gateway to itself or to another of this machine."""
MAX_LINE = 16_384
MAX_FIELD = 32_768

Body = bytes | AsyncIterator[bytes] | None


class Content(Protocol):
    """A body that arrives in parts."""

    def iter_any(self) -> AsyncIterator[bytes]:
        """Give each part as it arrives."""

    def is_eof(self) -> bool:
        """Tell whether all of it has arrived."""

    def read_nowait(self) -> bytes:
        """Give what has arrived and was not read yet; raises what broke the body."""


class Incoming(Protocol):
    """A caller's request; `aiohttp.web.Request` is one."""

    @property
    def method(self) -> str:
        """HTTP method."""

    @property
    def raw_path(self) -> str:
        """Path and query as they arrived, percent-encoded."""

    @property
    def host(self) -> str:
        """The `Host` header."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Headers in order."""

    @property
    def remote(self) -> str | None:
        """The caller's IP address."""

    @property
    def body_exists(self) -> bool:
        """Whether there is a body, even an empty one."""

    @property
    def content_length(self) -> int | None:
        """Length of the body in bytes, None where the caller did not announce it."""

    @property
    def content(self) -> Content:
        """The body."""


class Answer(Protocol):
    """A backend's response, its body still to come; `aiohttp.ClientResponse` is one."""

    @property
    def status(self) -> int:
        """Status code."""

    @property
    def reason(self) -> str | None:
        """Reason phrase."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Headers in order."""

    @property
    def content(self) -> Content:
        """The body."""

    def close(self) -> None:
        """Give up the body if it has not all arrived."""


class Transport(Protocol):
    """Sends the gateway's requests."""

    async def send(
        self,
        method: str,
        url: URL,
        headers: CIMultiDict[str],
        body: Body,
        certificate: Certificate | None = None,
    ) -> Answer:
        """Send a request and wait for the response's headers; redirects are not followed, nothing is sent twice.

        `certificate` is presented where the server asks for one in the TLS handshake.

        Raises `HostRefusedError`, `aiohttp.ClientError`, `OSError` or `ValueError` where there is no response.
        """


class _Request(aiohttp.ClientRequest):
    """A request whose headers are those of the caller and the policies, in their order."""

    def update_headers(self, headers: LooseHeaders | None) -> None:
        """Take the headers as they are; `Host` is among them."""
        self.headers = headers if isinstance(headers, CIMultiDict) else CIMultiDict(headers or ())


class BrokenConnectionError(aiohttp.ClientError):
    """A connection that broke before the response came; whether the backend took the request is not known."""


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Let no request be sent twice: aiohttp repeats GET and the like where it sees one of these two errors."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenConnectionError(str(error)) from error


class HttpTransport:
    """Sends requests over HTTP, to the addresses that a network gives, between `open` and `close`."""

    def __init__(self, network: Network) -> None:
        """Open nothing yet."""
        self.private_hosts: frozenset[str] = frozenset()
        """Hosts that resolve to private endpoints."""
        self._network = network
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Start, within a running event loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            auto_decompress=False,
            request_class=_Request,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            middlewares=(_send_once,),
            trust_env=False,
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        url: URL,
        headers: CIMultiDict[str],
        body: Body,
        certificate: Certificate | None = None,
    ) -> Answer:
        """Send a request over HTTP/1.1."""
        if self._session is None:
            raise RuntimeError("the gateway is not started")
        target = self._network.target(url, self.private_hosts)
        if target.port in self._network.gateway_ports and is_loopback(target):
            headers[HOPS] = str(hops.get() + 1)
        return await self._session.request(
            method,
            target,
            headers=headers,
            # A payload already: aiohttp would look for one that fits.
            data=BytesPayload(body) if isinstance(body, bytes) else body,
            allow_redirects=False,
            ssl=True if certificate is None or target.scheme != "https" else presenting(certificate),
        )
