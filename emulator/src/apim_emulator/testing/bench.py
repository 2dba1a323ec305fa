"""A gateway with one policy document, called without sockets."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from apim_emulator.clock import Clock
from apim_emulator.csharp.runtime.certificates import read_certificate
from apim_emulator.gateway.core import Core
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import phrase
from apim_emulator.gateway.http.observe import StreamStoppedError
from apim_emulator.gateway.http.reply import take_body
from apim_emulator.gateway.standalone import Rendered, standalone
from apim_emulator.model import Backend
from apim_emulator.testing.in_memory import FunctionTransport, InMemoryRequest, Log, as_headers, log
from apim_emulator.testing.tokens import TENANT, EntraTenant, TokenIssuer
from apim_emulator.testing.values import BackendFunction, Headers, Reply, Request, Response
from apim_emulator.tracing import TraceRecorder

NOW = 1_700_000_000.0
"""When tests begin, in Unix seconds: Tuesday, 14 November 2023, 22:13:20 UTC."""
BACKEND_HOST = "backend.test"
GATEWAY_HOST = "gateway.test"
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
"""Characters of a URL that are not encoded, as `requests` does it."""
Data = str | bytes | Iterable[bytes] | Mapping[str, object] | None
_LOGIN_HOST = "login.microsoftonline.com"


def _nothing(_request: Request) -> Reply:
    return Reply()


class PolicyBench:
    """A gateway whose API, at the path `/`, has one policy and takes any request without a subscription key.

    Time stands still until `clock.advance(seconds)`; what waits, such as `retry`, moves it on by itself.
    """

    def __init__(
        self,
        policy: str | Path | Rendered | None = None,
        *,
        backend: BackendFunction = _nothing,
        backends: Mapping[str, BackendFunction] | None = None,
        hosts: Mapping[str, BackendFunction] | None = None,
        entities: tuple[Backend, ...] = (),
        tenant_id: str = TENANT,
        start: float = NOW,
        trace: bool | TraceRecorder = True,
        **service: Any,
    ) -> None:
        """Load a policy, a file's or its text, `xml` or `rawxml`; raises `PolicyLoadError`.

        `backend` answers what the API forwards by default, at `https://backend.test`. `backends` are those that
        policies name by `backend-id`, each at `https://ID.test`; `entities` describes any of them further (circuit
        breaker, credentials) or adds pools of them. `hosts` answers every other URL by host, such as `api.contoso.com`
        or `*.openai.azure.com`. `service` is `named_values`, `fragments`, and whatever else
        `apim_emulator.gateway.standalone.standalone` takes. Without `trace`, calls take less time and have no
        `Response.trace`; a recorder as `trace` keeps the traces of several benches.
        """
        self.clock = Clock(start)
        self.entra = EntraTenant(self.clock, tenant_id)
        """The tenant whose metadata is at `login.microsoftonline.com`."""
        named = backends or {}
        self._functions = FunctionTransport()
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
        self._recorder = TraceRecorder() if trace is True else trace or None
        self._core = Core(self._functions, self, self.clock, tracer=self._recorder)
        self.load(policy)

    def load(self, policy: str | Path | Rendered | None, **service: Any) -> None:
        """Load another policy, and replace parts of the service from now on; counters and caches start anew."""
        self._service |= service
        text = policy.read_text(encoding="utf-8-sig") if isinstance(policy, Path) else policy
        self._core.load(standalone(text, f"https://{BACKEND_HOST}", **self._service))

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

        An exception that a backend function did not mean as a failure, such as `AssertionError`, is raised here. Raises
        `RuntimeError` in a coroutine.
        """
        if _in_coroutine():
            raise RuntimeError("send, get and post do not work in a coroutine; use: await bench.asend(method, url)")
        return asyncio.run(self.asend(method, url, **options))

    async def asend(
        self,
        method: str = "GET",
        url: str = "/",
        *,
        params: Mapping[str, object] | None = None,
        headers: Headers = (),
        json: object = None,
        data: Data = None,
        remote: str = "127.0.0.1",
        certificate: bytes | None = None,
    ) -> Response:
        """Send a request from a coroutine, alone or beside others.

        `url` is a path and query; what may not stand in one is percent-encoded. A value of `params` may be a list.
        `json` and a mapping as `data`, which is a form, set `Content-Type`; `data` in several parts is a chunked body.
        `remote` is the caller's address, and `certificate` what the caller presents, in PEM: its own certificate first.
        Raises `ValueError` for a `url` that does not begin with `/`, and for a certificate that is none.
        """
        if not url.startswith("/"):
            raise ValueError(f"url {url!r} must be a path and query that begin with /")
        raw, sent = quote(f"{url}{_query(url, params)}", safe=_AS_IT_IS), as_headers(headers)
        sent.setdefault("Host", GATEWAY_HOST)
        body = _request_body(sent, json, data)
        call = InMemoryRequest(method, raw, CIMultiDictProxy(sent), remote, body)
        own = Log()
        log.set(own)
        presented = None if certificate is None else replace(read_certificate(certificate), private_key=None)
        exchange = self._core.begin(call, presented)
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
            events=tuple(exchange.events),
            trace=next((call for call in recorded if call.id == number), None),
        )


def _in_coroutine() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def identity_token(resource: str, principal_id: str = "system-assigned") -> str:
    """Return the token that a bench's managed identity has for a resource."""
    return f"identity-token.{principal_id}.{resource}"


def _query(url: str, params: Mapping[str, object] | None) -> str:
    return f"{'&' if '?' in url else '?'}{urlencode(params, doseq=True)}" if params else ""


def _request_body(headers: CIMultiDict[str], json: object, data: Data) -> list[bytes] | None:
    """Make the parts of a body, with the headers that describe it."""
    if json is not None:
        data = dumps(json)
        headers.setdefault("Content-Type", "application/json")
    elif isinstance(data, Mapping):
        data = urlencode(data, doseq=True)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    whole = data.encode() if isinstance(data, str) else data
    if not isinstance(whole, bytes):
        return None if whole is None else list(whole)
    headers.setdefault("Content-Length", str(len(whole)))
    return [whole]


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
