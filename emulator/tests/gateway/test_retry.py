import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from emulator.tests.gateway.harness import NOW, Bench, gateway, header, inbound

AGAIN = 'condition="@(context.Response.StatusCode &gt;= 429)"'
FORWARD = "<forward-request buffer-request-body='true'/>"
WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason + "/" + context.LastError.Path)')


def retry(attributes: str, children: str = FORWARD) -> str:
    return f"<retry {attributes}>{children}</retry>"


def answering(bench: Bench, *statuses: int) -> list[float]:
    """Answer with these statuses, then 200; gives the times of the calls since the start."""
    left: Iterator[int] = iter(statuses)
    times: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        bench.backend.calls[-1].body = await request.read()
        times.append(bench.clock.now() - NOW)
        return web.Response(status=next(left, 200), text="backend's")

    bench.backend.answer = answer
    return times


@pytest.mark.parametrize(
    ("attributes", "statuses", "times"),
    [
        pytest.param("count='3' interval='10'", [], [0], id="nothing to retry"),
        pytest.param("count='3' interval='10'", [500, 500], [0, 10, 20], id="fixed"),
        pytest.param("count='4' interval='10' delta='5'", [500] * 4, [0, 10, 25, 45, 70], id="linear"),
        pytest.param("count='3' interval='10' first-fast-retry='true'", [500, 500], [0, 0, 10], id="first fast"),
        pytest.param("count='2' interval='0'", [500, 500], [0, 0, 0], id="no wait"),
        pytest.param("count='2' interval='10' max-interval='4'", [500, 500], [0, 4, 8], id="maximum without delta"),
        pytest.param("count='@(1 + 1)' interval='@(2 * 3)'", [500, 500], [0, 6, 12], id="expressions"),
    ],
)
async def test_retry_waits_by_the_clock(
    gateway_bench: Bench, attributes: str, statuses: list[int], times: list[float]
) -> None:
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} {attributes}")))
    seen = answering(gateway_bench, *statuses)

    response = await gateway_bench.call()

    assert (response.status, await response.text()) == (200, "backend's")
    assert seen == times


async def test_exponential_waits_double_within_their_spread_up_to_the_maximum(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} count='6' interval='10' delta='10' max-interval='100'")))
    times = answering(gateway_bench, *[500] * 6)

    await gateway_bench.call()

    waits = [later - earlier for earlier, later in pairwise(times)]
    for wait, (low, high) in zip(waits, [(10, 10), (18, 22), (34, 46), (66, 94), (100, 100), (100, 100)], strict=True):
        assert low <= wait <= high


async def test_exponential_waits_are_those_of_the_references_example(
    gateway_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apim_emulator.gateway.policies.retry._spread", lambda: 1.0)
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} count='5' interval='10' delta='10' max-interval='100'")))
    times = answering(gateway_bench, *[500] * 5)

    await gateway_bench.call()

    assert [later - earlier for earlier, later in pairwise(times)] == [10, 20, 40, 80, 100]


async def test_exhausted_retry_leaves_the_last_response(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} count='2' interval='1'"), outbound=header("X-Out", "1")))
    answering(gateway_bench, 500, 502, 503)

    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Out"], len(gateway_bench.backend.calls)) == (503, "1", 3)


@pytest.mark.parametrize(
    ("buffered", "second"), [("true", b"x" * 70_000), ("false", b"")], ids=["buffered", "not buffered: it is gone"]
)
async def test_retry_sends_the_body_again_only_where_it_was_buffered(
    gateway_bench: Bench, buffered: str, second: bytes
) -> None:
    forward = f"<forward-request buffer-request-body='{buffered}'/>"
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} count='1' interval='0'", forward)))
    answering(gateway_bench, 429)

    response = await gateway_bench.call("/api/deployments/d/chat/completions", "POST", data=b"x" * 70_000)

    assert response.status == 200
    assert [call.body for call in gateway_bench.backend.calls] == [b"x" * 70_000, second]


async def test_backend_that_does_not_answer_is_retried_and_then_told_to_on_error(gateway_bench: Bench) -> None:
    gateway_bench.load(
        inbound(backend=retry("condition='@(context.Response.StatusCode == 500)' count='2' interval='5'"), on_error=WHY)
    )

    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    gateway_bench.backend.answer = broken
    response = await gateway_bench.call()

    assert response.status == 500
    assert response.headers["X-Why"] == "forward-request/BackendConnectionFailure/retry/forward-request"
    assert len(gateway_bench.backend.calls) == 3
    assert gateway_bench.clock.now() == NOW + 10


async def test_backend_that_comes_back_ends_the_retries(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend=retry("condition='true' count='50' interval='0'"), on_error=WHY))
    gateway_bench.load(
        inbound(backend=retry("condition='@(context.Response.StatusCode == 500)' count='50' interval='0'"))
    )

    async def third_time(request: web.Request) -> web.StreamResponse:
        if len(gateway_bench.backend.calls) < 3:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="third")

    gateway_bench.backend.answer = third_time

    assert await (await gateway_bench.call()).text() == "third"
    assert len(gateway_bench.backend.calls) == 3


async def test_refusal_by_a_policy_inside_is_not_retried(gateway_bench: Bench) -> None:
    check = "<check-header name='X-Team' failed-check-httpcode='403'/>"
    gateway_bench.load(inbound(retry("condition='true' count='5' interval='5'", check), on_error=WHY))

    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Why"]) == (403, "check-header/HeaderNotFound/retry/check-header")
    assert gateway_bench.clock.now() == NOW


async def test_return_response_inside_ends_the_retries(gateway_bench: Bench) -> None:
    answer = "<return-response><set-status code='202'/></return-response>"
    gateway_bench.load(inbound(backend=retry("condition='true' count='5' interval='5'", answer)))

    assert (await gateway_bench.call()).status == 202


async def test_choose_and_retry_nest(gateway_bench: Bench) -> None:
    inner = f"<choose><when condition='true'>{FORWARD}</when></choose>"
    gateway_bench.load(inbound(backend=retry(f"{AGAIN} count='1' interval='0'", inner)))
    answering(gateway_bench, 500)

    assert (await gateway_bench.call()).status == 200
    assert len(gateway_bench.backend.calls) == 2


async def test_caller_who_goes_away_ends_the_retries(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend=retry("condition='true' count='50' interval='0'")))
    called = asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        called.set()
        await asyncio.sleep(0.05)
        return web.Response(status=500)

    gateway_bench.backend.answer = slow
    call = asyncio.create_task(gateway_bench.call())
    await called.wait()
    call.cancel()
    await asyncio.sleep(0.2)

    assert len(gateway_bench.backend.calls) <= 2


@pytest.mark.parametrize(
    ("attributes", "children", "message"),
    [
        pytest.param("count='51'", "", "'51' is not a whole number, 1 to 50", id="too many"),
        pytest.param("count='0'", "", "1 to 50", id="none"),
        pytest.param("count='1' delta='0'", "", "delta", id="no delta"),
        pytest.param("count='1'", "<wait for='all'><choose><when condition='true'/></choose></wait>", "inside retry",
                     id="wait inside"),
        pytest.param("count='1'", "<unknown/>", "unknown: policy is not supported", id="unknown policy"),
        pytest.param("count='1'", "<forward-request/>", "may not stand in inbound", id="forward-request in inbound"),
    ],
)  # fmt: skip
def test_retry_is_refused_with_the_reason(attributes: str, children: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(retry(f"condition='true' interval='1' {attributes}", children))))


async def test_condition_sees_why_the_last_attempt_failed_and_nothing_else_does(gateway_bench: Bench) -> None:
    last = header("X-Last", '@(context.LastError == null ? "none" : context.LastError.Reason)')
    condition = """condition='@(context.LastError != null)' count='3' interval='0'"""
    gateway_bench.load(inbound(backend=retry(condition), outbound=last))
    calls = 0

    async def broken_at_first(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=500)

    gateway_bench.backend.answer = broken_at_first
    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Last"], calls) == (500, "none", 2)
