"""Requests and backends in memory, in place of HTTP: a request is a value, a backend a function."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from inspect import isawaitable
from json import dumps

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.http.headers import phrase
from apim_emulator.gateway.http.transport import Answer, Body
from apim_emulator.network import HostRefusedError
from apim_emulator.testing.values import BackendFunction, Headers, Reply, Request

_FAILURES = (OSError, aiohttp.ClientError)
"""What a backend that fails raises; anything else is a mistake of the test and ends it."""


@dataclass(slots=True)
class Log:
    """What backends saw and did during one call."""

    requests: list[Request] = field(default_factory=list)
    raised: BaseException | None = None
    """A backend function's own mistake."""


log: ContextVar[Log] = ContextVar("log")


class Chunks:
    """A body in chunks."""

    def __init__(self, chunks: list[bytes] | AsyncIterable[bytes]) -> None:
        """Give these chunks, once."""
        self._chunks = chunks

    def is_eof(self) -> bool:
        """Tell whether there is nothing to wait for."""
        return isinstance(self._chunks, list)

    def read_nowait(self) -> bytes:
        """Give all of a body that has arrived."""
        return b"".join(self._chunks) if isinstance(self._chunks, list) else b""

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Give each chunk."""
        if isinstance(self._chunks, list):
            for chunk in self._chunks:
                yield chunk
        else:
            async for chunk in self._chunks:
                yield chunk


@dataclass(frozen=True, slots=True)
class InMemoryRequest:
    """A caller's request; an `apim_emulator.gateway.http.transport.Incoming`."""

    method: str
    raw_path: str
    headers: CIMultiDictProxy[str]
    remote: str
    body: list[bytes] | None

    @property
    def host(self) -> str:
        """The `Host` header."""
        return self.headers["Host"]

    @property
    def body_exists(self) -> bool:
        """Whether there is a body."""
        return self.body is not None

    @property
    def content_length(self) -> int | None:
        """Bytes of the body; several chunks announce none."""
        return len(self.body[0]) if self.body is not None and len(self.body) == 1 else None

    @property
    def content(self) -> Chunks:
        """The body."""
        return Chunks(self.body or [])


class FunctionTransport:
    """Sends the gateway's requests to functions by host; an `apim_emulator.gateway.http.transport.Transport`."""

    def __init__(self) -> None:
        """Start without any."""
        self._hosts: dict[str, tuple[str | None, BackendFunction]] = {}

    def add(self, host: str, name: str | None, function: BackendFunction) -> None:
        """Let a function answer a host, which may be `*.suffix`; one without a name is not logged."""
        self._hosts[host.lower()] = (name, function)

    async def send(
        self,
        method: str,
        url: URL,
        headers: CIMultiDict[str],
        body: Body,
        certificate: Certificate | None = None,
    ) -> Answer:
        """Ask the function of the URL's host; the longest suffix wins."""
        name, function = self._find(url)
        content = body if isinstance(body, bytes) else b"".join([chunk async for chunk in body]) if body else b""
        request = Request(
            backend=name or "", method=method, url=str(url), headers=CIMultiDict(headers.items()), content=content,
            certificate=None if certificate is None or url.scheme != "https" else certificate.thumbprint,
        )  # fmt: skip
        if name is not None:
            log.get().requests.append(request)
        try:
            made = function(request)
            reply = await made if isawaitable(made) else made
            if not isinstance(reply, Reply):
                raise TypeError(f"backend function of {url.host} returned {type(reply).__name__}; it must be a Reply")
            return _Answer(reply)
        except _FAILURES:
            raise
        except Exception as mistake:
            log.get().raised = mistake
            raise ConnectionError from mistake

    def _find(self, url: URL) -> tuple[str | None, BackendFunction]:
        host = (url.host or "").lower()
        places = [host, *(f"*{host[index:]}" for index, letter in enumerate(host) if letter == ".")]
        found = next((self._hosts[place] for place in places if place in self._hosts), None)
        if found is None:
            raise HostRefusedError(url)
        return found


class _Answer:
    """A reply on its way; an `apim_emulator.gateway.http.transport.Answer`."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status_code
        self.reason: str | None = phrase(reply.status_code) if reply.reason is None else reply.reason
        given = reply.content if reply.json is None else dumps(reply.json)
        whole = given.encode() if isinstance(given, str) else given
        found = as_headers(reply.headers)
        if reply.json is not None:
            found.setdefault("Content-Type", "application/json")
        if isinstance(whole, bytes):
            found.setdefault("Content-Length", str(len(whole)))
        self.headers = CIMultiDictProxy(found)
        self.content = Chunks(self._chunks([whole] if isinstance(whole, bytes) else whole))

    async def _chunks(self, chunks: object) -> AsyncIterator[bytes]:
        try:
            if isinstance(chunks, AsyncIterable):
                async for chunk in chunks:
                    yield chunk
            else:
                for chunk in chunks:  # type: ignore[attr-defined]
                    yield chunk
        except _FAILURES:
            raise
        except Exception as mistake:
            log.get().raised = mistake
            raise ConnectionError from mistake

    def close(self) -> None:
        """Nothing to give up: chunks that nobody asks for are never made."""


def as_headers(headers: Headers) -> CIMultiDict[str]:
    """Read headers from a mapping or from pairs; raises `TypeError` for a value that is no text."""
    found = CIMultiDict(headers.items() if isinstance(headers, Mapping) else headers)
    for name, value in found.items():
        if not isinstance(value, str):
            raise TypeError(f"header {name} is {type(value).__name__}; it must be text")
    return found
