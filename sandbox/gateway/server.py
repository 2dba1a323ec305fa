"""The gateway's HTTP server.

It listens on plain HTTP on this machine, so an API's https-only protocol has no meaning here.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.clock import Clock
from sandbox.expressions.context import ApiInfo, Context, OperationInfo, Request, Url
from sandbox.expressions.query import Query
from sandbox.gateway.errors import internal_error
from sandbox.gateway.exchange import Exchange, Services
from sandbox.gateway.http import end_to_end, is_safe_path
from sandbox.gateway.identity import Identities, TokenSource
from sandbox.gateway.pipeline import not_found, run_api, run_on_error
from sandbox.gateway.plan import Plan, compile_plan
from sandbox.gateway.reply import drop_automatic_headers, send
from sandbox.gateway.tokens.openid import OpenIdProviders
from sandbox.model import Gateway
from sandbox.network import Network

_CANCELLED = 499
"""Status that is recorded when the caller went away before there was a response (inferred)."""

log = logging.getLogger("sandbox.gateway")


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
    "max_line_size": 16_384,
    "max_field_size": 32_768,
}
"""What `aiohttp.web.AppRunner` needs to serve `GatewayServer.app`.

A caller who goes away ends the upstream call, no header value is logged, and a token of a caller in many groups fits.
"""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What became of one call, for tests and for people."""

    api: str | None
    operation: str | None
    status: int
    backend_called: bool
    error: str | None
    """`LastError.Reason`, None where nothing failed."""


Recorder = Callable[[CallRecord], None]


class GatewayServer:
    """Serves the APIs of one deployed gateway by running the policies that were deployed."""

    def __init__(
        self,
        network: Network,
        identities: TokenSource,
        clock: Clock,
        recorder: Recorder | None = None,
    ) -> None:
        """Serve nothing until a gateway is loaded: every call is answered 404.

        Run `app` with `RUNNER_OPTIONS`.
        """
        self._network = network
        self._tokens = identities
        self._clock = clock
        self._recorder = recorder
        self._session: aiohttp.ClientSession | None = None
        self.load(Gateway(name="", sku="", apis=()))
        self.app = web.Application(middlewares=[self._answer], client_max_size=64 * 1024 * 1024)
        self.app.cleanup_ctx.append(self._client)
        self.app.on_response_prepare.append(drop_automatic_headers)

    def load(self, gateway: Gateway) -> None:
        """Serve another state of the gateway from the next call on; caches start anew.

        Raises `PolicyLoadError`; the state before then stays.
        """
        plan = compile_plan(gateway)
        services = Services(
            self._network,
            self._clock,
            Identities(gateway.identities, self._tokens, self._clock),
            OpenIdProviders(self._network, self._clock, self._client_session),
            self._client_session,
        )
        self._loaded = (plan, services)

    def _client_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the gateway is not started")
        return self._session

    async def _client(self, _app: web.Application) -> AsyncIterator[None]:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            auto_decompress=False,
            trust_env=False,
        )
        yield
        await self._session.close()
        self._session = None

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer every request; the application has no routes of its own."""
        del handler
        plan, services = self._loaded
        exchange = _exchange(request, plan.gateway.name, services)
        try:
            await _run(exchange, plan)
            return await send(request, exchange)
        finally:
            exchange.close()
            self._record(exchange)

    def _record(self, exchange: Exchange) -> None:
        context = exchange.context
        record = CallRecord(
            None if context.api is None else context.api.id,
            None if context.operation is None else context.operation.id,
            _CANCELLED if context.response is None else context.response.status,
            exchange.backend_called,
            None if context.last_error is None else context.last_error.reason,
        )
        log.info("%s %s/%s -> %d", context.request.method, record.api, record.operation, record.status)
        if self._recorder is not None:
            self._recorder(record)


def _exchange(incoming: web.Request, service_name: str, services: Services) -> Exchange:
    raw_path, _, raw_query = incoming.raw_path.partition("?")
    query = Query(raw_query.partition("#")[0])
    host, _, port = incoming.host.partition(":")
    url = Url("http", host, int(port) if port.isdecimal() else 80, raw_path, query.copy())
    headers = end_to_end(incoming.headers)
    headers.popall("Expect", None)
    request = Request(incoming.method, headers, url, raw_path, query, incoming.remote or "", {})
    return Exchange(Context(uuid4(), service_name, request), services, incoming)


async def _run(exchange: Exchange, plan: Plan) -> None:
    context = exchange.context
    try:
        path = context.request.path
        match = plan.paths.match(path) if is_safe_path(path) else None
        if match is None:
            return await run_on_error(exchange, not_found(), plan.no_api)
        api, below = plan.apis[match[0]], match[1]
        context.api = ApiInfo(api.api.id, api.api.id, api.api.path)
        context.request.path = below
        if api.service is not None:
            exchange.send_to(api.service)
        found = api.operations.match(context.request.method, below)
        if found is None:
            return await run_api(exchange, plan, api, None)
        operation = found.operation
        context.operation = OperationInfo(operation.name, operation.method, operation.url_template)
        context.request.matched_parameters = found.parameters
        return await run_api(exchange, plan, api, operation.name)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets 500 and nobody gets its text
        log.error("call failed inside the gateway: %s", type(error).__name__)
        return await run_on_error(exchange, internal_error("InternalError", "gateway", "gateway"), plan.no_api)
