"""`quota` and `quota-by-key`: volumes of calls and kilobytes, and when they are renewed."""

import json
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.model import Product, Subscription
from emulator.tests.gateway.harness import Bench, inbound, reply

CLASSIC = "Developer"
ANN = {"Ocp-Apim-Subscription-Key": "ann-key"}


def by_subscription(policy: str) -> dict[str, Any]:
    """Make the parts of a service whose product has the policy, which stands at no other scope."""
    document = f"<policies><inbound>{policy}</inbound></policies>"
    return {
        "products": (Product(id="team", api_ids=frozenset({"api"}), policy=document),),
        "subscriptions": (Subscription(id="ann", scope="/products/team", primary_key="ann-key", secondary_key=""),),
    }


def by_key(more: str, period: int = 3600) -> str:
    return f"<quota-by-key counter-key='all' renewal-period='{period}' {more}/>"


async def statuses(bench: Bench, count: int, **headers: str) -> list[int]:
    return [(await bench.call(headers=headers)).status for _ in range(count)]


async def told(bench: Bench, **headers: str) -> tuple[int, str, str | None]:
    response = await bench.call(headers=headers)
    return response.status, json.loads(await response.read())["message"], response.headers.get("Retry-After")


async def test_refusal_is_byte_for_byte_that_of_the_service(gateway_bench: Bench) -> None:
    # 22:13:20 UTC: windows of an hour begin with the hours of the clock.
    gateway_bench.load(inbound(by_key("calls='1'")), sku=CLASSIC)
    await gateway_bench.call()

    refused = await gateway_bench.call()

    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert await refused.read() == (
        b'{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 00:46:40." }'
    )
    assert refused.headers["Retry-After"] == "2800"
    assert gateway_bench.records[-1].error == "QuotaExceeded"
    assert len(gateway_bench.backend.calls) == 1


async def test_days_stand_before_the_time(gateway_bench: Bench) -> None:
    start = "first-period-start='2023-11-14T00:00:00Z'"
    gateway_bench.load(inbound(by_key(f"calls='1' {start}", period=30 * 86_400)), sku=CLASSIC)
    await gateway_bench.call()

    assert (await told(gateway_bench))[1] == ("Out of call volume quota. Quota will be replenished in 29.01:46:40.")


async def test_quota_is_renewed_with_the_next_window(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key("calls='1'")), sku=CLASSIC)
    assert await statuses(gateway_bench, 2) == [200, 403]
    gateway_bench.clock.advance(2799)
    assert await statuses(gateway_bench, 1) == [403]

    gateway_bench.clock.advance(1)

    assert await statuses(gateway_bench, 2) == [200, 403]


async def test_quota_without_end(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key("calls='1'", period=0)), sku=CLASSIC)
    await gateway_bench.call()
    gateway_bench.clock.advance(1e9)

    assert await told(gateway_bench) == (403, "Out of call volume quota.", None)


async def test_bandwidth_counts_both_bodies(gateway_bench: Bench) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 512)
        await response.write(b"x" * 256)
        return response

    gateway_bench.backend.answer = answer
    gateway_bench.load(inbound(by_key("bandwidth='1'")), sku=CLASSIC)
    path = "/api/deployments/chat/chat/completions"

    first = await gateway_bench.call(path, "POST", data=b"y" * 255)
    second = await gateway_bench.call(path, "POST", data=b"y")
    third = await gateway_bench.call(path, "POST", data=b"y")

    assert (first.status, second.status, third.status) == (200, 200, 403)
    assert json.loads(await third.read())["message"] == (
        "Out of bandwidth quota. Quota will be replenished in 00:46:40."
    )


async def test_condition_on_the_response_is_counted_late(gateway_bench: Bench) -> None:
    condition = "calls='1' increment-condition='@(context.Response.StatusCode == 200)'"
    gateway_bench.load(inbound(by_key(condition)), sku=CLASSIC)

    assert await statuses(gateway_bench, 2) == [200, 403]


async def test_condition_that_fails_counts_nothing(gateway_bench: Bench) -> None:
    condition = "calls='1' increment-condition='@(context.Response.StatusCode == 404)'"
    gateway_bench.load(inbound(by_key(condition)), sku=CLASSIC)

    assert await statuses(gateway_bench, 3) == [200, 200, 200]


async def test_a_call_counts_once_for_a_key(gateway_bench: Bench) -> None:
    outer = by_key("calls='9'")
    policy = f"<policies><inbound>{outer}</inbound></policies>"
    gateway_bench.load(inbound(by_key("calls='2'")), policy=policy, sku=CLASSIC)

    assert await statuses(gateway_bench, 3) == [200, 200, 403]


async def test_largest_bandwidth_is_that_of_the_schema(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key(f"bandwidth='{2**63 - 1}'")), sku=CLASSIC)

    assert await statuses(gateway_bench, 2) == [200, 200]
    with pytest.raises(PolicyLoadError, match="is not a whole number"):
        gateway_bench.load(inbound(by_key(f"bandwidth='{2**63}'")), sku=CLASSIC)


async def test_increment_count(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(by_key("calls='5' increment-count='2'")), sku=CLASSIC)

    assert await statuses(gateway_bench, 3) == [200, 200, 403]


async def test_subscription_quota_starts_when_the_gateway_is_loaded(gateway_bench: Bench) -> None:
    gateway_bench.load(**by_subscription("<quota calls='1' renewal-period='3600'/>"))
    await gateway_bench.call(headers=ANN)
    gateway_bench.clock.advance(1200)

    assert await told(gateway_bench, **ANN) == (
        403,
        "Out of call volume quota. Quota will be replenished in 00:40:00.",
        "2400",
    )
    assert await statuses(gateway_bench, 3) == [200, 200, 200]


async def test_quota_of_an_operation(gateway_bench: Bench) -> None:
    part = "<api id='api' calls='8'><operation id='models' calls='1'/></api>"
    gateway_bench.load(**by_subscription(f"<quota calls='9' renewal-period='0'>{part}</quota>"))

    assert await statuses(gateway_bench, 2, **ANN) == [200, 403]
    assert (await gateway_bench.call("/api/deployments/c/chat/completions", "POST", headers=ANN)).status == 200


async def test_refusal_goes_through_on_error(gateway_bench: Bench) -> None:
    shown = '@(context.LastError.Source + "/" + context.LastError.Reason)'
    gateway_bench.load(inbound(by_key("calls='1'"), on_error=reply(shown)), sku=CLASSIC)
    await gateway_bench.call()

    assert (await gateway_bench.call()).headers["X-Value"] == "quota-by-key/QuotaExceeded"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param(by_key(""), "needs calls, bandwidth or both", id="nothing"),
        pytest.param(by_key("calls='1'", period=299), "needs 0 or at least 300 seconds", id="short period"),
        pytest.param(by_key("calls='@(1)'"), "expression is not allowed", id="expression"),
        pytest.param(by_key("calls='1' first-period-start='2023-11-14'"), "must have the form", id="start"),
        pytest.param(by_key("calls='1' first-period-start='2023-13-14T00:00:00Z'"), "must have the form", id="no date"),
    ],
)
async def test_refused_documents(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(inbound(policy), sku=CLASSIC)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param("<quota calls='1'/>", "renewal-period: attribute is missing", id="no period"),
        pytest.param("<quota renewal-period='1'/>", "needs calls, bandwidth or both", id="no volume"),
        pytest.param(
            "<quota calls='1' renewal-period='1'><api id='a' calls='1' renewal-period='1'/></quota>",
            "attribute is not supported",
            id="period of a part",
        ),
    ],
)
async def test_refused_documents_of_a_product(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(**by_subscription(policy))


async def test_subscription_quota_is_for_products(gateway_bench: Bench) -> None:
    with pytest.raises(PolicyLoadError, match="quota: may not stand at api scope; allowed at product"):
        gateway_bench.load(inbound("<quota calls='1' renewal-period='3600'/>"))


@pytest.mark.parametrize("sku", ["BasicV2", "Consumption"])
async def test_quota_by_key_is_for_classic_tiers(gateway_bench: Bench, sku: str) -> None:
    with pytest.raises(PolicyLoadError, match=f"quota-by-key: is not available in {sku}; use the tier"):
        gateway_bench.load(inbound(by_key("calls='1'")), sku=sku)
