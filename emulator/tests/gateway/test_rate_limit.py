"""`rate-limit` and `rate-limit-by-key`: what is counted, what is refused, and what is told."""

import asyncio

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.model import Product, Subscription
from emulator.tests.gateway.harness import Bench, inbound, reply

CLASSIC, V2 = "Developer", "BasicV2"
SUBSCRIBED = {
    "subscriptions": tuple(
        Subscription(id=name, scope="/apis", primary_key=f"{name}-key", secondary_key="") for name in ("ann", "ben")
    )
}
BY_KEY = "<rate-limit-by-key calls='{calls}' renewal-period='60' counter-key='{key}' {more}/>"
TEAM = '@(context.Request.Headers.GetValueOrDefault("X-Team", ""))'.replace('"', "&quot;")


def by_key(calls: int | str = 1, key: str = "all", more: str = "") -> str:
    return BY_KEY.format(calls=calls, key=key, more=more)


async def statuses(bench: Bench, count: int, **options: str) -> list[int]:
    return [(await bench.call(headers=options)).status for _ in range(count)]


@pytest.mark.parametrize("sku", [CLASSIC, V2])
async def test_refusal_is_byte_for_byte_that_of_the_service(gateway_bench: Bench, sku: str) -> None:
    gateway_bench.load(inbound(by_key()), sku=sku)
    await gateway_bench.call()
    gateway_bench.clock.advance(3)

    refused = await gateway_bench.call()

    assert (refused.status, refused.reason) == (429, "Too Many Requests")
    assert (
        await refused.read() == b'{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }'
    )
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.headers["Content-Length"] == "84"
    assert refused.headers["Retry-After"] == "57"
    assert len(gateway_bench.backend.calls) == 1
    assert gateway_bench.records[-1].error == "RateLimitExceeded"


async def test_refusal_goes_through_on_error(gateway_bench: Bench) -> None:
    told = '@(context.LastError.Source + "/" + context.LastError.Reason + "/" + context.LastError.Message)'
    gateway_bench.load(inbound(by_key(calls=1), on_error=reply(told)))
    await gateway_bench.call()

    refused = await gateway_bench.call()

    assert refused.headers["X-Value"] == "rate-limit-by-key/RateLimitExceeded/Rate limit is exceeded"


async def test_classic_window_rolls(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=2)), sku=CLASSIC)
    clock = gateway_bench.clock
    seen = []
    for pause in (0, 20, 20, 19, 1, 1, 20):
        clock.advance(pause)
        response = await gateway_bench.call()
        seen.append((response.status, response.headers.get("Retry-After")))

    assert seen == [(200, None), (200, None), (429, "20"), (429, "1"), (200, None), (429, "19"), (200, None)]


async def test_v2_bucket_refills_evenly(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=2)), sku=V2)
    assert await statuses(gateway_bench, 3) == [200, 200, 429]

    gateway_bench.clock.advance(30)

    assert await statuses(gateway_bench, 2) == [200, 429]


async def test_keys_are_counted_apart_and_shared_across_scopes(gateway_bench: Bench) -> None:
    gateway_bench.load(
        inbound(by_key(calls=4, key=TEAM)), policy=f"<policies><inbound>{by_key(9, TEAM)}</inbound></policies>"
    )

    assert await statuses(gateway_bench, 3, **{"X-Team": "a"}) == [200, 200, 429]
    assert await statuses(gateway_bench, 1, **{"X-Team": "b"}) == [200]


async def test_refused_calls_are_not_counted(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=1)), sku=CLASSIC)
    await statuses(gateway_bench, 5)
    gateway_bench.clock.advance(60)

    assert await statuses(gateway_bench, 2) == [200, 429]


async def test_condition_on_the_response_is_counted_late(gateway_bench: Bench) -> None:
    condition = "increment-condition='@(context.Response.StatusCode == 200)' remaining-calls-header-name='X-Left'"
    gateway_bench.load(inbound(by_key(calls=1, more=condition)))

    first, second = await gateway_bench.call(), await gateway_bench.call()

    assert (first.status, first.headers["X-Left"]) == (200, "1")
    assert (second.status, second.headers["X-Left"]) == (429, "0")


async def test_condition_that_fails_counts_nothing(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=1, more="increment-condition='@(context.Response.StatusCode == 500)'")))

    assert await statuses(gateway_bench, 3) == [200, 200, 200]


async def test_late_counting_lets_calls_at_the_same_time_through(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=1, more="increment-after-response='true'")))

    found = await asyncio.gather(*(gateway_bench.call() for _ in range(3)))

    assert [response.status for response in found] == [200, 200, 200]
    assert await statuses(gateway_bench, 1) == [429]


async def test_condition_that_throws_fails_the_call(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(more="increment-condition='@((bool)context.Variables[&quot;x&quot;])'")))

    assert (await gateway_bench.call()).status == 500
    assert gateway_bench.records[-1].error == "ExpressionValueEvaluationFailure"


async def test_increment_count(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls=5, more="increment-count='2' remaining-calls-header-name='X-Left'")))

    found = [await gateway_bench.call() for _ in range(3)]

    assert [(one.status, one.headers["X-Left"]) for one in found] == [(200, "3"), (200, "1"), (429, "1")]


async def test_outputs(gateway_bench: Bench) -> None:
    names = (
        "remaining-calls-header-name='X-Left' remaining-calls-variable-name='left' total-calls-header-name='X-Total' "
        "retry-after-header-name='X-Wait' retry-after-variable-name='wait'"
    )
    show = (
        '<set-header name="X-Left-Variable"><value>@(((int)context.Variables["left"]).ToString())</value></set-header>'
    )
    told = (
        '<set-header name="X-Wait-Variable"><value>@(((int)context.Variables["wait"]).ToString())</value></set-header>'
    )
    gateway_bench.load(inbound(by_key(calls=1, more=names), outbound=show, on_error=told))

    first, second = await gateway_bench.call(), await gateway_bench.call()

    assert [first.headers[name] for name in ("X-Left", "X-Total", "X-Left-Variable")] == ["0", "1", "0"]
    assert [second.headers[name] for name in ("X-Left", "X-Total", "X-Wait", "X-Wait-Variable")] == [
        "0",
        "1",
        "60",
        "60",
    ]
    assert "Retry-After" not in second.headers


async def test_headers_are_there_on_a_response_of_return_response(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(more="remaining-calls-header-name='X-Left'"), "<return-response/>"))

    assert (await gateway_bench.call()).headers["X-Left"] == "0"


async def test_limits_may_be_expressions(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(calls="@(1 + 1)")))

    assert await statuses(gateway_bench, 3) == [200, 200, 429]


async def test_rate_limit_counts_each_subscription_and_nobody_without_key(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound("<rate-limit calls='1' renewal-period='60'/>"), **SUBSCRIBED)

    async def called(key: str) -> list[int]:
        return await statuses(gateway_bench, 2, **({"Ocp-Apim-Subscription-Key": key} if key else {}))

    assert [await called(key) for key in ("ann-key", "ben-key", "")] == [[200, 429], [200, 429], [200, 200]]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param("<api id='api' calls='1' renewal-period='60'/>", [200, 429], id="API"),
        pytest.param("<api name='api' calls='1' renewal-period='60'/>", [200, 429], id="by name"),
        pytest.param("<api id='other' name='api' calls='1' renewal-period='60'/>", [200, 200], id="id before name"),
        pytest.param(
            "<api id='api' calls='9' renewal-period='60'><operation id='models' calls='1' renewal-period='60'/></api>",
            [200, 429],
            id="operation",
        ),
        pytest.param(
            "<api id='api' calls='9' renewal-period='60'><operation id='chat' calls='1' renewal-period='60'/></api>",
            [200, 200],
            id="other operation",
        ),
    ],
)
async def test_rate_limit_of_parts(gateway_bench: Bench, part: str, expected: list[int]) -> None:
    limit = f"<rate-limit calls='9' renewal-period='60'>{part}</rate-limit>"
    product = Product(id="team", api_ids=frozenset({"api"}), policy=f"<policies><inbound>{limit}</inbound></policies>")
    subscription = Subscription(id="ann", scope="/products/team", primary_key="ann-key", secondary_key="")
    gateway_bench.load(products=(product,), subscriptions=(subscription,))

    assert await statuses(gateway_bench, 2, **{"Ocp-Apim-Subscription-Key": "ann-key"}) == expected


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param(by_key(calls=0), "calls: '0' is not a whole number", id="no calls"),
        pytest.param(by_key().replace("'60'", "'301'"), "renewal-period: '301'", id="long period"),
        pytest.param(by_key(more="flexible-retry-window='true'"), "attribute is not supported", id="flexible window"),
        pytest.param(by_key(more="remaining-calls-header-name='a b'"), "not a header name", id="header name"),
        pytest.param("<rate-limit calls='@(1)' renewal-period='60'/>", "expression is not allowed", id="expression"),
        pytest.param("<rate-limit calls='1'/>", "renewal-period: attribute is missing", id="no period"),
        pytest.param(
            "<rate-limit calls='1' renewal-period='60'><api calls='1' renewal-period='60'/></rate-limit>",
            "needs id or name",
            id="nameless part",
        ),
    ],
)
async def test_refused_documents(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(inbound(policy))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"sku": "Consumption", "api": {"policy": inbound(by_key())}}, "not available in Consumption", id="tier"
        ),
        pytest.param(
            {"policy": "<policies><inbound><rate-limit calls='1' renewal-period='9'/></inbound></policies>"},
            "may not stand at global scope",
            id="scope",
        ),
    ],
)
async def test_refused_places(gateway_bench: Bench, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(**changes)


async def test_a_caller_who_leaves_is_counted(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key()))
    called, release = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        called.set()
        await release.wait()
        return web.Response()

    gateway_bench.backend.answer = hang
    leaving = asyncio.create_task(gateway_bench.call())
    await called.wait()
    leaving.cancel()
    release.set()
    gateway_bench.backend.answer = None

    assert await statuses(gateway_bench, 1) == [429]
