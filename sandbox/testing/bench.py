"""A gateway with one policy document, called without sockets."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from json import dumps
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from policies import Document
from sandbox.clock import Clock
from sandbox.gateway.core import Core
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import phrase
from sandbox.gateway.observe import StreamStoppedError
from sandbox.gateway.reply import take_body
from sandbox.model import Backend
from sandbox.standalone import standalone
from sandbox.testing.ends import Call, Functions, Log, as_headers, log
from sandbox.testing.tokens import TENANT, EntraTenant, TokenIssuer
from sandbox.testing.values import BackendFunction, Headers, Reply, Request, Response
from sandbox.tracing import TraceRecorder

NOW = 1_700_000_000.0
"""When tests begin, in Unix seconds: Tuesday, 14 November 2023, 22:13:20 UTC."""
BACKEND_HOST = "backend.test"
GATEWAY_HOST = "gateway.test"
_LOGIN_HOST = "login.microsoftonline.com"


def _nothing(_request: Request) -> Reply:
    return Reply()


class PolicyBench:
    """A gateway whose API, at the path `/`, has one policy and takes any request without a subscription key.

    Time stands still until `clock.advance(seconds)`; what waits, such as `retry`, moves it on by itself.
    """

    def __init__(
        self,
        policy: str | Document | None = None,
        *,
        backend: BackendFunction = _nothing,
        backends: Mapping[str, BackendFunction] | None = None,
        hosts: Mapping[str, BackendFunction] | None = None,
        entities: tuple[Backend, ...] = (),
        tenant_id: str = TENANT,
        start: float = NOW,
        trace: bool = True,
        **service: Any,
    ) -> None:
        """Load a policy, `xml` or `rawxml`; raises `PolicyLoadError`.

        `backend` answers what the API forwards by default, at `https://backend.test`. `backends` are those that
        policies name by `backend-id`, each at `https://ID.test`; `entities` describes any of them further (circuit
        breaker, credentials) or adds pools of them. `hosts` answers every other URL by host, such as `api.contoso.com`
        or `*.openai.azure.com`. `service` is `named_values`, `fragments`, and whatever else
        `sandbox.standalone.standalone` takes. Without `trace`, calls take less time and have no `Response.trace`.
        """
        self.clock = Clock(start)
        self.entra = EntraTenant(self.clock, tenant_id)
        """The tenant whose metadata is at `login.microsoftonline.com`."""
        named = backends or {}
        self._functions = Functions()
        self._functions.add(BACKEND_HOST, "backend", backend)
        self._functions.add(_LOGIN_HOST, None, self.entra.answer)
        for name, function in named.items():
            self._functions.add(f"{name}.test", name, function)
        for host, function in (hosts or {}).items():
            self._functions.add(host, host, function)
        described = {entity.id: entity for entity in entities}
        for name in named:
            entity = described.get(name, Backend(id=name))
            described[name] = replace(entity, url=entity.url or f"https://{name}.test")
        self._service = {"backends": tuple(described.values()), **service}
        self._recorder = TraceRecorder() if trace else None
        self._core = Core(self._functions, self, self.clock, tracer=self._recorder)
        self.load(policy)

    def load(self, policy: str | Document | None, **service: Any) -> None:
        """Load another policy, and replace parts of the service from now on; counters and caches start anew."""
        self._service |= service
        self._core.load(standalone(policy, f"https://{BACKEND_HOST}", **self._service))

    def issuer(self, url: str) -> TokenIssuer:
        """Make an OpenID Connect provider at a URL, with its metadata at `/.well-known/openid-configuration` below."""
        found = TokenIssuer(url, self.clock)
        self._functions.add(urlsplit(url).hostname or "", None, found.answer)
        return found

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Issue a token of the gateway's identity, valid for an hour: `identity_token(resource, principal_id)`."""
        return identity_token(resource, principal_id), self.clock.now() + 3600

    def get(self, url: str = "/", **options: Any) -> Response:
        """Send a GET request, as `send`."""
        return self.send("GET", url, **options)

    def post(self, url: str = "/", **options: Any) -> Response:
        """Send a POST request, as `send`."""
        return self.send("POST", url, **options)

    def send(self, method: str = "GET", url: str = "/", **options: Any) -> Response:
        """Send a request and wait for the whole response; takes the options of `asend`.

        An exception that a backend function did not mean as a failure, such as `AssertionError`, is raised here.
        """
        return asyncio.run(self.asend(method, url, **options))

    async def asend(
        self,
        method: str = "GET",
        url: str = "/",
        *,
        params: Mapping[str, str] | None = None,
        headers: Headers = (),
        json: object = None,
        data: str | bytes | Iterable[bytes] | None = None,
        remote: str = "127.0.0.1",
    ) -> Response:
        """Send a request from a coroutine, alone or beside others.

        `url` is a path and query; `data` in several parts is a chunked body; `remote` is the caller's address.
        """
        call = _call(method, f"{url}{_query(url, params)}", headers, dumps(json) if json is not None else data, remote)
        own = Log()
        log.set(own)
        exchange = self._core.begin(call)
        try:
            await self._core.run(exchange)
            take_body(call, exchange)
            chunks, broken = await _body(exchange)
        finally:
            self._core.end(exchange)
        if own.raised is not None:
            raise own.raised
        return self._response(exchange, chunks, own, broken=broken)

    def _response(self, exchange: Exchange, chunks: list[bytes], own: Log, *, broken: bool) -> Response:
        context, response = exchange.context, exchange.response
        number = str(context.request_id)
        recorded = [] if self._recorder is None else self._recorder.last()
        return Response(
            status_code=response.status,
            reason=response.reason or phrase(response.status),
            headers=CIMultiDict(response.headers.items()),
            chunks=tuple(chunks),
            broken=broken,
            requests=tuple(own.requests),
            variables=dict(context.variables),
            error=context.last_error,
            metrics=tuple(exchange.metrics),
            traces=tuple(exchange.traces),
            trace=next((call for call in recorded if call.id == number), None),
        )


def identity_token(resource: str, principal_id: str = "system-assigned") -> str:
    """Return the token that a bench's managed identity has for a resource."""
    return f"identity-token.{principal_id}.{resource}"


def _query(url: str, params: Mapping[str, str] | None) -> str:
    return f"{'&' if '?' in url else '?'}{urlencode(params)}" if params else ""


def _call(method: str, url: str, headers: Headers, data: str | bytes | Iterable[bytes] | None, remote: str) -> Call:
    found = as_headers(headers)
    found.setdefault("Host", GATEWAY_HOST)
    text = data.encode() if isinstance(data, str) else data
    body = [text] if isinstance(text, bytes) else None if text is None else list(text)
    if body is not None and isinstance(text, bytes):
        found.setdefault("Content-Length", str(len(text)))
    return Call(method, url, CIMultiDictProxy(found), remote, body)


async def _body(exchange: Exchange) -> tuple[list[bytes], bool]:
    """Take the response's body as a caller does."""
    response = exchange.response
    if response.stream is None:
        return [response.body] if response.body else [], False
    chunks: list[bytes] = []
    broken = False
    try:
        async for chunk in response.stream:
            chunks.append(chunk)  # noqa: PERF401 - what came before a failure counts
    except StreamStoppedError:
        pass
    except (aiohttp.ClientError, OSError):
        broken = True
    exchange.sent = sum(map(len, chunks))
    return chunks, broken
