"""limit-concurrency and wait."""

import asyncio

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from emulator.tests.gateway.harness import Bench, gateway, header, inbound

WHY = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
THROWS = header("X-Boom", '@((string)context.Variables["absent"])')


def limit(children: str, key: str = "k", most: int = 1) -> str:
    return f"<limit-concurrency key='{key}' max-count='{most}'>{children}</limit-concurrency>"


def holding(bench: Bench) -> tuple[asyncio.Event, asyncio.Event]:
    """Hold the backend's answer: gives when a call has arrived, and what lets it go on."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def answer(_request: web.Request) -> web.StreamResponse:
        arrived.set()
        await release.wait()
        return web.Response()

    bench.backend.answer = answer
    return arrived, release


async def test_call_above_the_limit_is_refused_at_once(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend=limit("<forward-request/>"), on_error=WHY))
    arrived, release = holding(gateway_bench)
    first = asyncio.create_task(gateway_bench.call())
    await arrived.wait()

    second = await gateway_bench.call()
    release.set()

    assert second.status == 429
    assert await second.text() == '{ "statusCode": 429, "message": "Too Many Requests" }'
    assert second.headers["X-Why"] == "limit-concurrency/ConcurrencyLimitExceeded"
    assert (await first).status == 200
    assert (await gateway_bench.call()).status == 200
    assert len(gateway_bench.backend.calls) == 2


async def test_keys_are_counted_apart_and_shared_between_policies(gateway_bench: Bench) -> None:
    key = '@(context.Request.Headers.GetValueOrDefault("X-Key", ""))'
    gateway_bench.load(inbound(limit(header("X-In", "1"), key), backend=limit("<forward-request/>", key)))
    arrived, release = holding(gateway_bench)
    first = asyncio.create_task(gateway_bench.call(headers={"X-Key": "a"}))
    await arrived.wait()

    same = await gateway_bench.call(headers={"X-Key": "a"})
    release.set()
    other = await gateway_bench.call(headers={"X-Key": "b"})

    assert (same.status, other.status, (await first).status) == (429, 200, 200)


async def test_failure_and_departure_free_the_place(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(limit(THROWS)))
    for _ in range(3):
        assert (await gateway_bench.call()).status == 500

    gateway_bench.load(inbound(backend=limit("<forward-request/>")))
    arrived, _ = holding(gateway_bench)
    call = asyncio.create_task(gateway_bench.call())
    await arrived.wait()
    call.cancel()
    gateway_bench.backend.answer = None
    for _ in range(100):
        if (await gateway_bench.call()).status == 200:
            break
        await asyncio.sleep(0.01)

    assert gateway_bench.records[-1].status == 200


def send(name: str, attributes: str = "") -> str:
    return (
        f"<send-request response-variable-name='{name}' {attributes}>"
        f"<set-url>https://{name}.openai.azure.com/</set-url></send-request>"
    )


async def test_wait_for_all_runs_side_by_side(gateway_bench: Bench) -> None:
    both = asyncio.Barrier(2)

    async def answer(request: web.Request) -> web.StreamResponse:
        await both.wait()
        return web.Response(text=request.headers["Host"])

    gateway_bench.backend.answer = answer
    gateway_bench.load(inbound(f"<wait for='all'>{send('a')}{send('b')}</wait>",
                               "<return-response response-variable-name='b'/>"))  # fmt: skip

    response = await asyncio.wait_for(gateway_bench.call(), 5)

    assert await response.text() == "b.openai.azure.com"


async def test_wait_for_any_ends_the_others(gateway_bench: Bench) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers["Host"].startswith("slow"):
            started.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
        await started.wait()
        return web.Response(text="fast")

    gateway_bench.backend.answer = answer
    gateway_bench.load(inbound(f"<wait for='any'>{send('slow')}{send('fast')}</wait>",
                               "<return-response response-variable-name='fast'/>"))  # fmt: skip

    response = await asyncio.wait_for(gateway_bench.call(), 5)

    assert await response.text() == "fast"
    await asyncio.wait_for(ended.wait(), 5)


@pytest.mark.parametrize("mode", ["all", "any"])
async def test_failure_inside_wait_is_told_to_on_error(gateway_bench: Bench, mode: str) -> None:
    broken = send("a", "timeout-ms='20'").replace("https://a.openai.azure.com", "https://nowhere.example.com")
    gateway_bench.load(inbound(f"<wait for='{mode}'>{broken}</wait>", on_error=WHY))

    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Why"]) == (500, "send-request/BackendConnectionFailure")


async def test_return_response_inside_wait_ends_the_pipeline(gateway_bench: Bench) -> None:
    choose = (
        "<choose><when condition='true'><return-response><set-status code='202'/></return-response></when></choose>"
    )
    gateway_bench.load(inbound(f"<wait>{choose}</wait>", THROWS))

    assert (await gateway_bench.call()).status == 202


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(
            "<wait for='some'><choose><when condition='true'/></choose></wait>", "not one of all, any", id="mode"
        ),
        pytest.param("<wait/>", "at least one policy", id="empty"),
        pytest.param("<wait><set-variable name='a' value='b'/></wait>", "may not stand directly in wait", id="child"),
        pytest.param("<limit-concurrency key='k'/>", "max-count: attribute is missing", id="no limit"),
        pytest.param(limit("", most=0), "is not a whole number", id="zero"),
        pytest.param("<limit-concurrency key='k' max-count='@(1)'/>", "expression is not allowed", id="expression"),
        pytest.param("<limit-concurrency max-count='1'/>", "key: attribute is missing", id="no key"),
    ],
)
def test_policy_is_refused_with_the_reason(policy: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policy)))
