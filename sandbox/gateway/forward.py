"""The call to the backend: headers, credentials and body out, status and a stream of chunks back."""

import asyncio
from collections.abc import AsyncIterable

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sandbox.expressions.context import Response
from sandbox.gateway.backends import Endpoint
from sandbox.gateway.errors import Failure, internal_error
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import end_to_end
from sandbox.network import HostRefusedError

SKIP_AUTO_HEADERS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""What aiohttp would add on its own; the backend sees what the caller and the policies sent."""


async def forward(exchange: Exchange, seconds: float, *, fail_on_error: bool) -> None:
    """Send the request and wait until the response's headers are there; its body streams later.

    Raises `Failure`: `Timeout`, `BackendConnectionFailure`, or the backend's own 4xx and 5xx with `fail_on_error`.
    """
    if exchange.target is None:
        raise internal_error("BackendConnectionFailure", "the API has no backend")
    endpoint = exchange.target.pick()
    url = _url(exchange, endpoint)
    try:
        target = exchange.services.network.target(url)
        exchange.close()
        exchange.backend_called = True
        async with asyncio.timeout(seconds):
            upstream = await exchange.services.session().request(
                exchange.context.request.method,
                target,
                headers=_headers(exchange, endpoint, url),
                data=_body(exchange),
                allow_redirects=False,
                skip_auto_headers=SKIP_AUTO_HEADERS,
            )
    except TimeoutError:
        raise internal_error("Timeout", "the backend did not answer in time") from None
    except HostRefusedError as refused:
        raise internal_error("BackendConnectionFailure", str(refused)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise internal_error("BackendConnectionFailure", f"no response: {type(error).__name__}") from None
    exchange.upstream = upstream
    response = Response(
        upstream.status, upstream.reason, end_to_end(upstream.headers), stream=upstream.content.iter_any()
    )
    exchange.context.response = response
    if fail_on_error and upstream.status >= 400:
        detail = f"the backend answered {upstream.status}"
        raise Failure(upstream.status, detail, "BackendResponseFailure", response=response)


def _url(exchange: Exchange, endpoint: Endpoint) -> URL:
    request = exchange.context.request
    query = request.query.copy()
    for name, _ in endpoint.query:
        query.remove(name)
    for name, value in endpoint.query:
        query.add(name, value)
    tail = f"?{query}" if str(query) else ""
    return URL(f"{endpoint.origin}{endpoint.path}{request.path}{tail}", encoded=True)


def _headers(exchange: Exchange, endpoint: Endpoint, url: URL) -> CIMultiDict[str]:
    request = exchange.context.request
    headers = request.headers.copy()
    if not exchange.host_set:
        headers.popall("Host", None)
        headers["Host"] = url.authority if url.explicit_port is not None else url.host or ""
    if exchange.body is not None:
        headers["Content-Length"] = str(len(exchange.body))
    forwarded = [*headers.popall("X-Forwarded-For", []), request.ip_address]
    headers["X-Forwarded-For"] = ", ".join(forwarded)
    for name, _ in endpoint.headers:
        headers.popall(name, None)
    for name, value in endpoint.headers:
        headers.add(name, value)
    return headers


def _body(exchange: Exchange) -> bytes | AsyncIterable[bytes] | None:
    """Pass the body on as it arrives, unless a policy needed it whole."""
    if exchange.body is not None:
        return exchange.body
    return exchange.incoming.content.iter_any() if exchange.incoming.body_exists else None
