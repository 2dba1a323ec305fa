import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.backends.breaker import Breaker
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Backend, CircuitBreaker, PoolMember
from emulator.tests.gateway.harness import NOW, Bench, gateway, header, inbound

WHY = header("X-Why", '@(context.LastError.Reason + "/" + context.Response.StatusCode)')


def rule(**changes: Any) -> CircuitBreaker:
    given: dict[str, Any] = {"interval": 60, "trip_duration": 30, "count": 2, "status_codes": ((429, 429), (500, 599))}
    return CircuitBreaker(**(given | changes))


def single(name: str, breaker: CircuitBreaker | None = None) -> Backend:
    return Backend(id=name, url=f"https://{name}.openai.azure.com", circuit_breaker=breaker)


def pool(*members: tuple[str, int, int]) -> Backend:
    return Backend(
        id="pool",
        members=tuple(
            PoolMember(backend_id=name, priority=priority, weight=weight) for name, priority, weight in members
        ),
    )


def load(bench: Bench, target: str, *backends: Backend, backend: str = "<base/>") -> None:
    policy = inbound(f"<set-backend-service backend-id='{target}'/>", backend=backend, on_error=WHY)
    bench.load(policy, backends=backends)


async def hosts(bench: Bench, calls: int) -> str:
    """Call and name who was asked: the first letter of each host, `-` for nobody."""
    found = ""
    for _ in range(calls):
        before = len(bench.backend.calls)
        await bench.call()
        found += "".join(call.headers["Host"][0] for call in bench.backend.calls[before:]) or "-"
    return found


def failing(bench: Bench, *names: str, status: int = 500, **headers: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        failed = request.headers["Host"][0] in names
        return web.Response(status=status, headers=headers) if failed else web.Response()

    bench.backend.answer = answer


async def test_tripped_backend_is_answered_503_until_its_time_is_over(gateway_bench: Bench) -> None:
    load(gateway_bench, "a", single("a", rule()))
    failing(gateway_bench, "a")

    assert await hosts(gateway_bench, 4) == "aa--"
    refused = await gateway_bench.call()
    assert (refused.status, refused.headers["X-Why"]) == (503, "BackendUnavailable/503")
    assert await refused.json() == {"statusCode": 503, "message": "Service Unavailable"}

    gateway_bench.clock.advance(29.9)
    assert await hosts(gateway_bench, 1) == "-"
    gateway_bench.clock.advance(0.1)
    assert await hosts(gateway_bench, 3) == "aa-"


async def test_failures_outside_the_interval_do_not_count(gateway_bench: Bench) -> None:
    load(gateway_bench, "a", single("a", rule()))
    failing(gateway_bench, "a")

    for _ in range(4):
        assert await hosts(gateway_bench, 1) == "a"
        gateway_bench.clock.advance(60)


@pytest.mark.parametrize("status", [200, 404, 428, 430, 499])
async def test_status_outside_the_ranges_is_no_failure(gateway_bench: Bench, status: int) -> None:
    load(gateway_bench, "a", single("a", rule(count=1)))
    failing(gateway_bench, "a", status=status)

    assert await hosts(gateway_bench, 3) == "aaa"


@pytest.mark.parametrize(
    ("accept", "value", "seconds"),
    [
        pytest.param(True, "7", 7, id="seconds"),
        pytest.param(True, format_datetime(datetime.fromtimestamp(NOW + 9, UTC), usegmt=True), 9, id="date"),
        pytest.param(True, "999999999", 86_400, id="years"),
        pytest.param(True, "Fri, 31 Dec 9999 23:59:59 GMT", 86_400, id="the end of time"),
        pytest.param(True, "soon", 30, id="neither"),
        pytest.param(True, None, 30, id="absent"),
        pytest.param(False, "7", 30, id="not accepted"),
    ],
)
async def test_retry_after_replaces_the_trip_duration(
    gateway_bench: Bench, accept: bool, value: str | None, seconds: int
) -> None:
    load(gateway_bench, "a", single("a", rule(count=1, accept_retry_after=accept)))
    failing(gateway_bench, "a", status=429, **({} if value is None else {"Retry-After": value}))
    await gateway_bench.call()

    gateway_bench.clock.advance(seconds - 0.5)
    assert await hosts(gateway_bench, 1) == "-"
    gateway_bench.clock.advance(0.5)
    assert await hosts(gateway_bench, 1) == "a"


@pytest.mark.parametrize(("reasons", "expected"), [(("backendconnectionfailure",), "-"), ((), "b")])
async def test_error_reasons_count_calls_without_a_response(
    gateway_bench: Bench, reasons: tuple[str, ...], expected: str
) -> None:
    load(gateway_bench, "b", single("b", rule(count=1, error_reasons=reasons)))

    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    gateway_bench.backend.answer = broken
    assert (await gateway_bench.call()).headers["X-Why"] == "BackendConnectionFailure/500"
    assert await hosts(gateway_bench, 1) == expected


async def test_timeout_counts_as_an_error_reason(gateway_bench: Bench) -> None:
    forward = "<forward-request timeout-ms='20'/>"
    load(gateway_bench, "a", single("a", rule(count=1, error_reasons=("Timeout",))), backend=forward)
    release = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    gateway_bench.backend.answer = hang
    assert (await gateway_bench.call()).headers["X-Why"] == "Timeout/500"
    assert await hosts(gateway_bench, 1) == "-"
    release.set()


def test_percentage_is_of_the_calls_in_the_interval() -> None:
    breaker = Breaker(rule(count=None, percentage=50))
    for second in range(3):
        breaker.answered(second, 200, None)
    breaker.answered(3, 500, None)
    breaker.answered(3, 500, None)
    assert not breaker.is_tripped(3)

    breaker.answered(3, 500, None)

    assert breaker.is_tripped(3)
    assert breaker.is_tripped(32.9)
    assert not breaker.is_tripped(33)


def test_breaker_remembers_only_so_many_calls() -> None:
    breaker = Breaker(rule(count=None, percentage=100))
    for _ in range(20_000):
        breaker.answered(0, 200, None)

    assert len(breaker._calls) == 10_000


async def test_pool_spills_over_only_when_the_whole_group_is_tripped(gateway_bench: Bench) -> None:
    backends = [single(name, rule(count=1)) for name in "abc"]
    load(gateway_bench, "pool", *backends, pool(("a", 1, 1), ("b", 1, 1), ("c", 2, 1)))
    failing(gateway_bench, "a", "b")

    assert await hosts(gateway_bench, 5) == "abccc"
    gateway_bench.clock.advance(30)
    failing(gateway_bench)
    assert await hosts(gateway_bench, 4) in {"abab", "baba"}


async def test_pool_of_tripped_members_is_answered_503(gateway_bench: Bench) -> None:
    load(gateway_bench, "pool", single("a", rule(count=1)), single("b", rule(count=1)), pool(("a", 0, 1), ("b", 1, 1)))
    failing(gateway_bench, "a", "b")

    assert await hosts(gateway_bench, 3) == "ab-"
    response = await gateway_bench.call()
    assert (response.status, response.headers["X-Why"]) == (503, "BackendUnavailable/503")
    assert gateway_bench.records[-1].backend_called is False


async def test_spent_pool_tells_when_its_first_member_is_back(gateway_bench: Bench) -> None:
    accepting = rule(count=1, accept_retry_after=True)
    load(gateway_bench, "pool", single("a", accepting), single("b", accepting), pool(("a", 1, 1), ("b", 2, 1)))
    waits = {"a": "20", "b": "5"}

    async def throttled(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": waits[request.host.partition(".")[0]]})

    gateway_bench.backend.answer = throttled
    assert await hosts(gateway_bench, 3) == "ab-"
    gateway_bench.clock.advance(1.5)

    response = await gateway_bench.call()

    assert (response.status, response.headers["Retry-After"]) == (503, "4")


async def test_backend_without_a_pool_does_not_tell_when_it_is_back(gateway_bench: Bench) -> None:
    load(gateway_bench, "a", single("a", rule(count=1)))
    failing(gateway_bench, "a")
    await gateway_bench.call()

    response = await gateway_bench.call()

    assert response.status == 503
    assert "Retry-After" not in response.headers


async def test_breaker_belongs_to_the_backend_whoever_calls_it(gateway_bench: Bench) -> None:
    load(gateway_bench, "a", single("a", rule(count=1)), single("b"), pool(("a", 1, 1), ("b", 2, 1)))
    failing(gateway_bench, "a")
    direct = (
        "<when condition='@(context.Request.Headers.ContainsKey(\"X-Direct\"))'>"
        "<set-backend-service backend-id='a'/></when>"
    )
    gateway_bench.load(
        inbound(f"<choose>{direct}<otherwise><set-backend-service backend-id='pool'/></otherwise></choose>"),
        backends=(single("a", rule(count=1)), single("b"), pool(("a", 1, 1), ("b", 2, 1))),
    )

    await gateway_bench.call(headers={"X-Direct": "1"})

    assert await hosts(gateway_bench, 2) == "bb"


@pytest.mark.parametrize(("name", "expected"), [("b", "b"), ("c", "-")], ids=["known", "unknown"])
async def test_backend_id_from_an_expression(gateway_bench: Bench, name: str, expected: str) -> None:
    load(gateway_bench, f'@("{name}" + "")', single("a"), single("b"))

    assert await hosts(gateway_bench, 1) == expected


async def test_retry_reaches_the_next_member_of_the_pool(gateway_bench: Bench) -> None:
    retry = (
        "<retry condition='@(context.Response.StatusCode == 429 || context.Response.StatusCode == 503)' count='1' "
        "interval='0' first-fast-retry='true'><set-backend-service backend-id='pool'/>"
        "<forward-request buffer-request-body='true'/></retry>"
    )
    members = (single("a", rule(count=1)), single("b", rule(count=1)), pool(("a", 1, 1), ("b", 2, 1)))
    load(gateway_bench, "pool", *members, backend=retry)
    failing(gateway_bench, "a", status=429)

    response = await gateway_bench.call("/api/deployments/d/chat/completions", "POST", json={"a": 1})

    assert response.status == 200
    assert [call.headers["Host"][0] for call in gateway_bench.backend.calls] == ["a", "b"]
    assert await hosts(gateway_bench, 2) == "bb"


@pytest.mark.parametrize(
    ("weights", "expected"),
    [((3, 1), "aabaaaba"), ((0, 1), "bbbb"), ((0, 0), "abab")],
    ids=["3 to 1", "none for the first", "equal where all are 0"],
)
async def test_pool_shares_by_weight(gateway_bench: Bench, weights: tuple[int, int], expected: str) -> None:
    load(gateway_bench, "pool", single("a"), single("b"), pool(("a", 1, weights[0]), ("b", 1, weights[1])))

    assert await hosts(gateway_bench, len(expected)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"count": None},
        {"percentage": 10},
        {"count": 0},
        {"interval": 0},
        {"trip_duration": -1},
        {"status_codes": ()},
    ],
    ids=["no threshold", "two thresholds", "zero", "no interval", "negative time", "no failure"],
)
def test_breaker_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PolicyLoadError, match="backend a, line 1: backend, circuitBreaker: needs count or percentage"):
        compile_plan(gateway(backends=(single("a", rule(**changes)),)))
