"""Callers who are slow, who do not read, who leave, and who would take a backend or a store from the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web
from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.gateway.cache import ValueCache
from apim_emulator.gateway.limits.bounded import Bounded, short
from apim_emulator.gateway.llm.semantic_cache import CachedResponse, CacheQuery, SemanticCache
from apim_emulator.model import Backend, CircuitBreaker
from apim_emulator.testing import PolicyBench, Reply
from emulator.tests.gateway.harness import BACKEND_URL, Bench, inbound, serve
from emulator.tests.gateway.test_smuggling import HIDDEN, Line, post, serving, statuses

pytestmark = pytest.mark.attack

CHAT = "/api/deployments/d/chat/completions"
TRIPS = CircuitBreaker(
    count=1, interval=60, trip_duration=60, status_codes=((500, 599),),
    error_reasons=("Timeout", "BackendConnectionFailure"),
)  # fmt: skip


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with serving() as running:
        yield running


async def dripping(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a byte every now and then, for ever."""
    with suppress(ConnectionError):
        while True:
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0.02)


async def until_cut(reader: asyncio.StreamReader) -> bytes:
    """Read all that comes before the connection is closed or reset."""
    found = bytearray()
    with suppress(ConnectionError):
        async with asyncio.timeout(5):
            while part := await reader.read(65_536):
                found += part
    return bytes(found)


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"GET /api/models?", id="first line"),
        pytest.param(b"GET /api/models HTTP/1.1\r\n", id="headers"),
        pytest.param(b"GET /api/models HTTP/1.1\r\nHost: x\r\nX-A: ", id="value"),
        pytest.param(HIDDEN + b"GET /api/mod", id="second request"),
    ],
)
async def test_head_that_drips_is_cut_by_one_timer(begin: bytes) -> None:
    async with serving(keepalive_timeout=0.3) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(begin)
        drip = asyncio.create_task(dripping(writer, b"a"))

        answer = await until_cut(reader)

        drip.cancel()
        writer.close()
        assert statuses(answer) == ([200] if begin.startswith(HIDDEN) else [])
        assert len(line.upstream.requests) == len(statuses(answer))


@pytest.mark.parametrize(
    "policy",
    [pytest.param("", id="forwarded"), pytest.param("<find-and-replace from='a' to='b'/>", id="read by a policy")],
)
async def test_body_that_drips_is_cut_by_its_rate(
    gateway_bench: Bench, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, but all of them would take for ever."""
    monkeypatch.setattr("apim_emulator.gateway.http.bodies.IDLE", 0.3)
    gateway_bench.load(inbound(policy))
    port = gateway_bench.client.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode())
    drip = asyncio.create_task(dripping(writer, b"a"))

    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n")

    drip.cancel()
    writer.close()
    assert statuses(head) == [408]
    assert gateway_bench.records[-1].error == "ClientConnectionFailure"


async def test_time_that_a_backend_takes_is_not_the_callers(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apim_emulator.gateway.http.bodies.IDLE", 0.3)

    assert statuses(await line.send(post(b"Content-Length: 3000000", body=b"x" * 3_000_000), wait=2)) == [200]


@pytest.fixture
def guarded(gateway_bench: Bench) -> Bench:
    backend = Backend(id="b", url=BACKEND_URL, circuit_breaker=TRIPS)
    gateway_bench.load(
        inbound("<set-backend-service backend-id='b'/>", backend="<forward-request timeout-ms='300'/>"),
        backends=(backend,),
    )
    return gateway_bench


async def is_in_service(bench: Bench) -> bool:
    bench.backend.answer = None
    return (await bench.call()).status == 200


async def half_a_body(bench: Bench) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event]:
    """Begin a request whose body does not end; the event tells that the backend got it."""
    received = asyncio.Event()

    async def read(request: web.Request) -> web.StreamResponse:
        received.set()
        await request.read()
        return web.Response()

    bench.backend.answer = read
    port = bench.client.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx".encode())
    return reader, writer, received


async def test_caller_who_is_slow_does_not_trip_the_breaker_for_others(guarded: Bench) -> None:
    reader, writer, received = await half_a_body(guarded)

    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n")

    writer.close()
    assert received.is_set()
    assert statuses(head) == [408]
    assert guarded.records[-1].error == "ClientConnectionFailure"
    assert await is_in_service(guarded)


async def test_caller_who_breaks_off_does_not_trip_the_breaker_for_others(guarded: Bench) -> None:
    _, writer, received = await half_a_body(guarded)
    await asyncio.wait_for(received.wait(), 5)
    writer.close()
    await writer.wait_closed()

    assert await is_in_service(guarded)


async def test_backend_that_is_slow_still_trips_its_breaker(guarded: Bench) -> None:
    hung = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await hung.wait()
        return web.Response()

    guarded.backend.answer = hang
    assert (await guarded.call(CHAT, "POST", data=b"x")).status == 500
    hung.set()

    assert not await is_in_service(guarded)
    assert guarded.records[-1].error == "BackendUnavailable"


async def test_backend_that_does_not_read_holds_the_caller_back(gateway_bench: Bench) -> None:
    """No more of a body is taken from the caller than what fits between the two."""
    gateway_bench.load()
    release = asyncio.Event()

    async def deaf(_request: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    gateway_bench.backend.answer = deaf
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(800):
            yield b"x" * 65_536
            sent += 65_536

    call = asyncio.create_task(gateway_bench.call(CHAT, "POST", data=flood()))
    before = -1
    while before != sent or not gateway_bench.backend.calls:
        before = sent
        await asyncio.sleep(0.05)

    assert 0 < sent < 40_000_000
    release.set()
    call.cancel()


async def test_pipelined_requests_of_a_caller_who_does_not_read_are_not_all_run(line: Line) -> None:
    body = b"x" * 200_000
    line.upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    _, writer = await asyncio.open_connection("127.0.0.1", line.port, limit=1024)
    writer.write(HIDDEN * 400)
    before = -1
    while before != len(line.upstream.requests) or before == 0:
        before = len(line.upstream.requests)
        await asyncio.sleep(0.1)
    writer.close()

    assert 0 < before < 400


# Stores


def test_long_counter_names_are_kept_as_digests() -> None:
    names = ["x" * 128, "x" * 129, "x" * 30_000, "y" * 30_000, "\ud800" * 200]

    kept = [short(name) for name in names]

    assert max(map(len, kept)) <= 128
    assert len(set(kept)) == len(names)


@pytest.mark.parametrize(
    ("policy", "sku"),
    [
        pytest.param("<rate-limit-by-key calls='1' renewal-period='60' counter-key='{key}'/>", "BasicV2", id="rate"),
        pytest.param("<quota-by-key calls='1' renewal-period='300' counter-key='{key}'/>", "Developer", id="quota"),
    ],
)
def test_long_keys_are_still_told_apart(policy: str, sku: str) -> None:
    key = '@(context.Request.Headers.GetValueOrDefault("X-Team", ""))'.replace('"', "&quot;")
    bench = PolicyBench(inbound(policy.format(key=key)), sku=sku)
    teams = ["x" * 30_000 + end for end in ("a", "b")]

    found = [bench.get(headers={"X-Team": team}).status_code for team in (*teams, *teams)]

    refused = {"BasicV2": 429, "Developer": 403}[sku]
    assert found == [200, 200, refused, refused]


def test_store_of_counters_forgets_the_one_that_was_not_used_for_longest() -> None:
    store: Bounded[str, list[int]] = Bounded(list, size=3)
    for key in ("a", "b", "c", "a", "d"):
        store[key].append(1)

    assert len(store) == 3
    assert [len(store[key]) for key in ("a", "c", "d")] == [2, 1, 1]
    assert store["b"] == []


def test_semantic_cache_is_bounded_and_keeps_digests_of_what_callers_sent() -> None:
    clock = Clock(0.0)
    cache = SemanticCache(clock)
    for number in range(1_100):
        cache.store(CacheQuery(("p",), (1.0, 0.0)), CachedResponse(200, CIMultiDict(), b"x" * number), 60)

    assert len(cache._entries) == 1_000
    clock.advance(61)
    cache.store(CacheQuery(("p",), (1.0, 0.0)), CachedResponse(200, CIMultiDict(), b""), 60)
    assert len(cache._entries) == 1


def test_semantic_cache_does_not_keep_what_a_caller_sent_beside_the_prompt() -> None:
    lookup = "<llm-semantic-cache-lookup score-threshold='0.05' embeddings-backend-id='e'/>"
    bench = PolicyBench(
        inbound(lookup, outbound="<llm-semantic-cache-store duration='60'/>"),
        backends={"e": lambda _: Reply(json={"data": [{"embedding": [1, 0]}]})},
        backend=lambda _: Reply(json={}),
    )
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": ["x" * 100_000]}

    assert len(bench.post("/x", json=body).requests) == 2
    assert len(bench.post("/x", json=body).requests) == 1
    assert len(bench.post("/x", json={**body, "tools": ["y"]}).requests) == 2
    kept = [query.partition for query, _, _ in bench._core._services.semantic_cache._entries]
    assert len(kept) == 2
    assert max(len(repr(partition)) for partition in kept) < 2_000


def test_value_cache_takes_no_value_that_is_larger_than_its_limit() -> None:
    cache = ValueCache(Clock(0.0))

    cache.store("k", "x" * 3_000_000, 60)
    cache.store("x" * 3_000_000, "v", 60)

    assert len(cache) == 0


async def test_caller_who_leaves_frees_everything(gateway_bench: Bench) -> None:
    """A hundred callers come and go before the backend answers: each of its calls is ended."""
    gateway_bench.load()
    started, ended = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def endless(_request: web.Request) -> web.StreamResponse:
        started.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.release()
        return web.Response()

    gateway_bench.backend.answer = endless
    calls = [asyncio.create_task(gateway_bench.call()) for _ in range(100)]
    async with asyncio.timeout(20):
        for _ in calls:
            await started.acquire()
        for call in calls:
            call.cancel()
        for _ in calls:
            await ended.acquire()

    assert (await gateway_bench.call("/api/nowhere")).status == 404
    assert [record.status for record in gateway_bench.records] == [499] * 100 + [404]


async def test_upstream_that_resets_in_the_middle_breaks_the_callers_connection(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend="<forward-request buffer-response='false'/>"))

    async def reset(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    gateway_bench.backend.answer = reset
    port = gateway_bench.client.port
    assert port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/models HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    found = b""
    with suppress(ConnectionError):
        found = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert statuses(found) in ([], [200])
    assert not found.endswith(b"0\r\n\r\n")


async def test_redirect_to_another_host_is_the_callers_to_follow(gateway_bench: Bench) -> None:
    visited: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        visited.append(request.path)
        return web.Response()

    async with serve(elsewhere) as url:
        target = f"<set-url>{BACKEND_URL}/a</set-url><set-method>GET</set-method>"
        send = f"<send-request response-variable-name='r'>{target}</send-request>"
        for status in (301, 302, 303, 307, 308):

            async def redirect(_request: web.Request, status: int = status) -> web.StreamResponse:
                return web.Response(status=status, headers={"Location": f"{url}/b"})

            gateway_bench.backend.answer = redirect
            gateway_bench.load(inbound(send))
            assert (await gateway_bench.call(allow_redirects=False)).status == status

    assert visited == []
