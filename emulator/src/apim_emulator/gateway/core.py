"""The gateway apart from HTTP: a caller's request in, the response that the policies leave for it out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.csharp.runtime.certificates import Certificate, judge
from apim_emulator.gateway.backends.identity import Identities, TokenSource
from apim_emulator.gateway.cache import ValueCache
from apim_emulator.gateway.certificates import Trust
from apim_emulator.gateway.context.objects import Context, Request, Url
from apim_emulator.gateway.context.query import Query
from apim_emulator.gateway.diagnostics import Monitor, Sampler, Trail
from apim_emulator.gateway.exchange import Exchange, Services
from apim_emulator.gateway.failures import Location, internal_error
from apim_emulator.gateway.http.headers import end_to_end, is_safe_path
from apim_emulator.gateway.http.transport import Incoming, Transport
from apim_emulator.gateway.limits.counters import Counters
from apim_emulator.gateway.llm.semantic_cache import SemanticCache
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.plan import Plan, compile_plan
from apim_emulator.gateway.loading.policy import Run
from apim_emulator.gateway.pipeline import not_found, run_api, run_on_error, run_preflight
from apim_emulator.gateway.policies.cors import is_preflight
from apim_emulator.gateway.repeated import Repeated
from apim_emulator.gateway.telemetry import CallLog, Metric, TraceEntry
from apim_emulator.gateway.tokens.openid import OpenIdProviders
from apim_emulator.gateway.tokens.verified import VerifiedTokens
from apim_emulator.gateway.witness import note, witness
from apim_emulator.model import Gateway

_CANCELLED = 499
"""Status that is recorded when the caller went away before there was a response (inferred)."""

log = logging.getLogger("apim_emulator.gateway")
log.addFilter(Repeated())


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What became of one call, for tests and for people."""

    api: str | None
    operation: str | None
    status: int
    backend_called: bool
    error: str | None
    """`LastError.Reason`, None where nothing failed."""
    metrics: tuple[Metric, ...] = ()
    traces: tuple[TraceEntry, ...] = ()


Recorder = Callable[[CallRecord], None]


class Tracer(Protocol):
    """Follows each call policy by policy; a gateway without one does nothing for it."""

    def tokens(self, source: TokenSource) -> TokenSource:
        """Learn the tokens that a source issues."""

    def loaded(self, gateway: Gateway) -> None:
        """Learn what is served now."""

    def wrap(self, run: Run, location: Location, node: Node) -> Run:
        """Put a recorder around a policy."""

    def begin(self, exchange: Exchange) -> None:
        """Take note of a call."""

    def end(self, exchange: Exchange) -> None:
        """Take note of its end."""


class Core:
    """Runs calls: `begin`, `run`, send what is in the exchange's response, `end`."""

    def __init__(
        self,
        transport: Transport,
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
        self._monitor = monitor
        self._transport = transport
        self._tokens = identities if tracer is None else tracer.tokens(identities)
        self._clock = clock
        self._recorder = recorder
        self._tracer = tracer
        self.load(Gateway(name="", sku="", apis=()))

    def load(self, gateway: Gateway) -> None:
        """Serve another state of the gateway from the next call on; caches start anew.

        Raises `PolicyLoadError`; the state before then stays.
        """
        tracer = self._tracer
        self._plan = compile_plan(gateway, None if tracer is None else tracer.wrap)
        self._sampler = Sampler()
        self._diagnosed = self._monitor is not None and self._plan.diagnosed
        if tracer is not None:
            tracer.loaded(gateway)
        self._trust = Trust(self._plan.certificates, self._clock.now)
        self._services = Services(
            self._transport,
            self._clock,
            Identities(gateway.identities, self._tokens, self._clock),
            OpenIdProviders(self._transport, self._clock),
            VerifiedTokens(),
            ValueCache(self._clock),
            {},
            Counters(gateway.sku, self._clock.now()),
            SemanticCache(self._clock, connected=gateway.semantic_cache),
            self._trust,
            {(one.provider_id, one.id): one for one in gateway.connections},
        )

    def begin(self, incoming: Incoming, certificate: Certificate | None = None) -> Exchange:
        """Take a request and the certificate that the caller presents; what comes of it is in the exchange."""
        raw_path, _, raw_query = incoming.raw_path.partition("?")
        query = Query(raw_query.partition("#")[0])
        host, _, port = incoming.host.partition(":")
        url = Url("http", host, int(port) if port.isdecimal() else 80, raw_path, query.copy())
        headers = end_to_end(incoming.headers)
        headers.popall("Expect", None)
        request = Request(incoming.method, headers, url, raw_path, query, incoming.remote or "", {})
        request.certificate = certificate
        context = Context(self._plan.gateway.name, request, now=self._clock.now)
        context.certificates = self._plan.certificates.by_thumbprint
        exchange = Exchange(context, self._services, incoming)
        if self._diagnosed:
            exchange.trail = Trail(self._plan.gateway.diagnostics, self._clock.now())
        if self._tracer is not None:
            self._tracer.begin(exchange)
        return exchange

    async def run(self, exchange: Exchange) -> None:
        """Run the policies; the response is then in the exchange, its body perhaps still to come."""
        plan = self._plan
        judge.set(self._trust)
        try:
            await _run(exchange, plan)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets 500 and nobody gets its text
            log.error("call failed inside the gateway: %s", type(error).__name__)
            await run_on_error(exchange, internal_error("InternalError", "gateway", "gateway"), plan.no_api)

    def end(self, exchange: Exchange) -> None:
        """Give up what still runs and record the call."""
        exchange.close()
        if self._tracer is not None:
            self._tracer.end(exchange)
        if exchange.trail is not None:
            self._diagnose(exchange, exchange.trail)
        if self._recorder is None and not log.isEnabledFor(logging.INFO):
            return
        context = exchange.context
        record = CallRecord(
            None if context.api is None else context.api.id,
            None if context.operation is None else context.operation.id,
            _CANCELLED if context.response is None else context.response.status,
            exchange.backend_called,
            None if context.last_error is None else context.last_error.reason,
            tuple(exchange.metrics),
            tuple(exchange.traces),
        )
        log.info("%s %s/%s -> %d", context.request.method, record.api, record.operation, record.status)
        if self._recorder is not None:
            self._recorder(record)

    def _diagnose(self, exchange: Exchange, trail: Trail) -> None:
        """Give the call to whom its diagnostics name."""
        if self._monitor is None or not trail.diagnostics:
            return
        call = _call_log(exchange, trail)
        for diagnostic in trail.diagnostics:
            sampled = self._sampler.takes(diagnostic, call)
            self._monitor.record(self._plan.gateway, diagnostic, call, sampled=sampled)


def _call_log(exchange: Exchange, trail: Trail) -> CallLog:
    context = exchange.context
    request, response = context.request, context.response
    url = request.original_url
    return CallLog(
        correlation_id=str(context.request_id),
        time=trail.time,
        milliseconds=(perf_counter() - trail.started) * 1000,
        method=request.method,
        url=f"{url.scheme}://{url.host}:{url.port}{url.path}",
        query=str(url.query),
        ip_address=request.ip_address,
        api_id=None if context.api is None else context.api.id,
        operation_id=None if context.operation is None else context.operation.id,
        product_id=None if context.product is None else context.product.id,
        subscription_id=None if context.subscription is None else context.subscription.id,
        status=_CANCELLED if response is None else response.status,
        request_size=exchange.incoming.content_length or 0,
        response_size=exchange.sent,
        error=context.last_error,
        backends=tuple(trail.backends),
        request_headers=CIMultiDict(exchange.incoming.headers),
        response_headers=CIMultiDict() if response is None else response.headers.copy(),
        request_body=trail.request_body,
        response_body=trail.response_body,
        metrics=tuple(exchange.metrics),
        traces=tuple(exchange.traces),
        llm=None if trail.llm is None else trail.llm.call(),
    )


async def _run(exchange: Exchange, plan: Plan) -> None:
    context = exchange.context
    path = context.request.path
    match = plan.paths.match(path) if is_safe_path(path) else None
    if match is None:
        known = ", ".join(f"/{one.api.path.strip('/')}" for one in plan.apis.values()) if witness.get() else ""
        note("no API has the path {}; there are {}", path, known or "none")
        return await run_on_error(exchange, not_found(), plan.no_api)
    api, below = plan.apis[match[0]], match[1]
    context.api = api.info
    if exchange.trail is not None:
        exchange.trail.diagnostics = api.diagnostics
    context.request.path = below
    if api.service is not None:
        exchange.send_to(api.service)
    found = api.operations.match(context.request.method, below, context.request.query)
    if found is None and is_preflight(context.request):
        return await run_preflight(exchange, plan, api, below)
    if found is None:
        note("no operation of API {} is {} {}", api.api.id, context.request.method, below)
        return await run_api(exchange, plan, api, None)
    context.operation = api.operation_infos[found.operation.name]
    context.request.matched_parameters = found.parameters
    return await run_api(exchange, plan, api, found.operation.name)
