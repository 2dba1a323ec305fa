"""The call to the backend: headers, credentials and body out, status and a stream of chunks back."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from apim_emulator.gateway.backends.credentials import add_credentials
from apim_emulator.gateway.backends.targets import Endpoint, Pool, Target
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure, internal_error
from apim_emulator.gateway.http.bodies import (
    CALLERS_FAULT,
    MAX_BODY,
    at_hand,
    request_at_hand,
    request_chunks,
    too_large,
    too_slow,
)
from apim_emulator.gateway.http.headers import end_to_end, is_sound
from apim_emulator.gateway.http.transport import Answer
from apim_emulator.gateway.telemetry import BackendCall
from apim_emulator.gateway.witness import Tried, note, witness
from apim_emulator.network import HostRefusedError


async def forward(exchange: Exchange, seconds: float, *, fail_on_error: bool) -> None:
    """Send the request and wait until the response's headers are there; its body streams later.

    Raises `Failure`: `Timeout`, `BackendConnectionFailure`, 503 where every backend is out of service, or the
    backend's own 4xx and 5xx with `fail_on_error`. The backend's circuit breaker hears what came of it.
    """
    if exchange.target is None:
        raise internal_error("BackendConnectionFailure", "the API has no backend")
    clock = exchange.services.clock
    endpoint = exchange.target.pick(clock.now())
    followed = _Followed(exchange, exchange.target, endpoint) if witness.get() is not None else None
    if endpoint is None:
        text = f"{exchange.target.name} is temporarily unavailable"
        wait = exchange.target.retry_after(clock.now())
        # Reason and text are inferred: the service has changed them over time.
        raise Failure(
            503,
            "Service Unavailable",
            "BackendUnavailable",
            detail=text,
            status_reason=text,
            headers={} if wait is None else {"Retry-After": str(wait)},
        )
    url = backend_url(exchange, endpoint)
    try:
        upstream = await _answered(exchange, endpoint, url, seconds)
    except Failure as failure:
        # No caller can take a backend out of service for the others.
        if endpoint.breaker is not None and failure.reason != CALLERS_FAULT:
            endpoint.breaker.failed(clock.now(), failure.reason)
        if followed is not None:
            followed.ended(url, None, failure)
        raise
    if endpoint.breaker is not None:
        endpoint.breaker.answered(clock.now(), upstream.status, upstream.headers.get("Retry-After"))
    if followed is not None:
        followed.ended(url, upstream.status, None)
    response = Response(upstream.status, upstream.reason, end_to_end(upstream.headers))
    whole = at_hand(upstream.content) if _has_length(exchange, upstream) else None
    if whole is None:
        response.stream = upstream.content.iter_any()
    else:
        response.body = whole
    exchange.context.response = response
    if fail_on_error and upstream.status >= 400:
        detail = f"the backend answered {upstream.status}"
        raise Failure(upstream.status, detail, "BackendResponseFailure", response=response)


class _Followed:
    """Tells a witness of a call to the backend."""

    def __init__(self, exchange: Exchange, target: Target, endpoint: Endpoint | None) -> None:
        """Say what was chosen, and tell of a call that is not made."""
        self._now = exchange.services.clock.now
        self._endpoint = endpoint
        self._call = Tried("backend", exchange.context.request.method, "")
        if isinstance(target, Pool):
            self._call.pool = target.id
            for member, breaker in target.out_of_service(self._now()):
                note("pool {}: {} is left out, its circuit breaker is {}", target.id, member, breaker.told(self._now()))
        if endpoint is None:
            self._call.error = "out of service"
            if isinstance(target, Endpoint):
                self._call.backend = target.id
                self._call.breaker = None if target.breaker is None else target.breaker.told(self._now())
                note("backend {} gets no call: its circuit breaker is {}", target.id, self._call.breaker)
            self._tell()
            return
        if self._call.pool is not None:
            note("pool {} chose {}", self._call.pool, endpoint.id)
        self._call.backend = endpoint.id
        self._call.url = f"{endpoint.origin}{endpoint.path}"

    def ended(self, url: URL, status: int | None, failure: Failure | None) -> None:
        """Tell what came of it, and whether the breaker opened."""
        self._call.url = str(url)
        breaker = None if self._endpoint is None else self._endpoint.breaker
        self._call.seconds = perf_counter() - self._call.started
        self._call.status = status
        if failure is not None:
            self._call.error = f"{failure.reason}: {failure.detail or failure.message}"
        if breaker is not None:
            self._call.breaker = breaker.told(self._now())
            if breaker.is_tripped(self._now()):
                note("circuit breaker of {} opened: it gets no calls for {} s", self._call.backend,
                     breaker.seconds_left(self._now()))  # fmt: skip
        self._tell()

    def _tell(self) -> None:
        found = witness.get()
        if found is not None:
            found.sent(self._call)


def _has_length(exchange: Exchange, upstream: Answer) -> bool:
    """Tell whether the body is as long as announced, so that it may go out in one piece or in several alike."""
    return "Content-Length" in upstream.headers and exchange.context.request.method != "HEAD"


def backend_url(exchange: Exchange, endpoint: Endpoint) -> URL:
    """Return the URL at which the backend serves the request, with its credential parameters."""
    request = exchange.context.request
    query = request.query
    if endpoint.query:
        query = query.copy()
        for name, _ in endpoint.query:
            query.remove(name)
        for name, value in endpoint.query:
            query.add(name, value)
    tail = f"?{text}" if (text := str(query)) else ""
    return URL(f"{endpoint.origin}{endpoint.path}{request.path}{tail}", encoded=True)


async def _answered(exchange: Exchange, endpoint: Endpoint, url: URL, seconds: float) -> Answer:
    body = _Body(exchange)
    called_before = exchange.backend_called
    exchange.drop_upstream()
    started, headers, upstream = perf_counter(), CIMultiDict[str](), None
    data = body.data()
    try:
        exchange.backend_called = True
        headers = _headers(exchange, endpoint, url, body)
        async with asyncio.timeout(seconds):
            upstream = await exchange.services.transport.send(
                exchange.context.request.method, url, headers, data, exchange.certificate or endpoint.certificate
            )
    except TimeoutError:
        if body.waiting:
            raise too_slow() from None
        raise internal_error("Timeout", "the backend did not answer in time") from None
    except HostRefusedError as refused:
        exchange.backend_called = called_before
        raise internal_error("BackendConnectionFailure", str(refused)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if body.failure is not None:
            raise body.failure from None
        raise internal_error("BackendConnectionFailure", f"no response: {type(error).__name__}") from None
    finally:
        if exchange.trail is not None and exchange.backend_called:
            exchange.trail.backends.append(
                BackendCall(
                    endpoint.id,
                    exchange.context.request.method,
                    str(url.with_query(None)),
                    url.raw_query_string,
                    None if upstream is None else upstream.status,
                    (perf_counter() - started) * 1000,
                    headers,
                    CIMultiDict() if upstream is None else CIMultiDict(upstream.headers),
                )
            )
    exchange.upstream = upstream
    if upstream.status < 200 or not is_sound("".join(upstream.headers.values())):
        exchange.drop_upstream()
        raise internal_error("BackendConnectionFailure", "the response is not sound HTTP")
    return upstream


class _Body:
    """The request body on its way to the backend."""

    def __init__(self, exchange: Exchange) -> None:
        """Pass the body on as it arrives, unless a policy needed it whole.

        What went to a backend before is gone, and so is what an expression read without `preserveContent`.
        """
        self.failure: Failure | None = None
        """What the caller did wrong while sending it."""
        self.waiting = False
        """Whether more of it is asked of the caller."""
        self._exchange = exchange
        if (exchange.body is None and exchange.streamed) or exchange.context.request.body_consumed:
            exchange.body = b""
        self.size = None if exchange.body is None else len(exchange.body)

    def data(self) -> bytes | AsyncIterator[bytes] | None:
        """Return what aiohttp sends. Raises `Failure` where more is announced than is accepted."""
        exchange = self._exchange
        if exchange.body is not None:
            return exchange.body or None
        incoming = exchange.incoming
        if not incoming.body_exists:
            return None
        if (incoming.content_length or 0) > MAX_BODY:
            raise too_large()
        whole = request_at_hand(incoming)
        if whole is None:
            return self._chunks()
        exchange.streamed = True
        return whole or None

    async def _chunks(self) -> AsyncIterator[bytes]:
        self._exchange.streamed = self.waiting = True
        try:
            async for chunk in request_chunks(self._exchange.incoming):
                self.waiting = False
                yield chunk
                self.waiting = True
            self.waiting = False
        except Failure as failure:
            self.failure = failure
            raise


def _headers(exchange: Exchange, endpoint: Endpoint, url: URL, body: _Body) -> CIMultiDict[str]:
    request = exchange.context.request
    headers = request.headers.copy()
    if not exchange.host_set:
        headers["Host"] = url.authority if url.explicit_port is not None else url.host or ""
    if body.size is not None:
        if body.size or exchange.incoming.body_exists:
            headers["Content-Length"] = str(body.size)
        else:
            headers.popall("Content-Length", None)
    forwarded = [*headers.popall("X-Forwarded-For", []), request.ip_address]
    headers["X-Forwarded-For"] = ", ".join(forwarded)
    add_credentials(exchange, endpoint, headers)
    return headers
