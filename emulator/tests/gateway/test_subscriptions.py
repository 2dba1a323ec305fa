import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Product, Subscription
from emulator.tests.gateway.harness import Bench, gateway, header, inbound

MISSING = (
    b'{ "statusCode": 401, "message": "Access denied due to missing subscription key. '
    b'Make sure to include subscription key when making requests to an API." }'
)
INVALID = (
    b'{ "statusCode": 401, "message": "Access denied due to invalid subscription key. '
    b'Make sure to provide a valid key for an active subscription." }'
)
SERVICE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/contoso"


def subscription(name: str, scope: str, *, active: bool = True) -> Subscription:
    return Subscription(
        id=name, scope=scope, primary_key=f"{name}-primary", secondary_key=f"{name}-secondary", active=active
    )


SUBSCRIPTIONS = (
    subscription("api", "/apis/api"),
    subscription("arm", f"{SERVICE}/apis/api;rev=1"),
    subscription("other", f"{SERVICE}/apis/other"),
    subscription("all", "/apis"),
    subscription("master", f"{SERVICE}/"),
    subscription("product", f"{SERVICE}/products/gold"),
    subscription("foreign", "/products/silver"),
    subscription("draft", "/products/draft"),
    subscription("gone", "/products/absent"),
    subscription("cancelled", "/apis/api", active=False),
)
PRODUCTS = (
    Product(id="gold", api_ids=frozenset({"api"})),
    Product(id="silver", api_ids=frozenset({"other"})),
    Product(id="draft", api_ids=frozenset({"api"}), published=False),
)


def closed(bench: Bench, *, required: bool = True) -> None:
    api = {"subscription_required": required, "key_header": "api-key", "key_query": "subscription-key"}
    bench.load(inbound(), api=api, subscriptions=SUBSCRIPTIONS, products=PRODUCTS)


async def test_missing_key_is_told_as_the_service_tells_it(gateway_bench: Bench) -> None:
    closed(gateway_bench)

    response = await gateway_bench.call(headers={"Host": "contoso.azure-api.net"})

    assert (response.status, response.reason) == (401, "Access Denied")
    assert await response.read() == MISSING
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Length"] == "152"
    assert response.headers["WWW-Authenticate"] == (
        'AzureApiManagementKey realm="https://contoso.azure-api.net/api",name="api-key",type="header"'
    )
    assert gateway_bench.backend.calls == []
    assert gateway_bench.records[-1].error == "SubscriptionKeyNotFound"


@pytest.mark.parametrize("required", [True, False], ids=["closed API", "open API"])
@pytest.mark.parametrize(
    "key",
    [
        "wrong",
        "other-primary",
        "foreign-primary",
        "draft-primary",
        "gone-primary",
        "cancelled-primary",
        "",
        "API-PRIMARY",
    ],
)
async def test_key_that_is_given_must_be_right(gateway_bench: Bench, key: str, required: bool) -> None:
    closed(gateway_bench, required=required)

    response = await gateway_bench.call(headers={"api-key": key})

    assert (response.status, response.reason) == (401, "Access Denied")
    assert await response.read() == INVALID
    assert "WWW-Authenticate" not in response.headers
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize("name", ["api", "arm", "all", "master", "product"])
@pytest.mark.parametrize("which", ["primary", "secondary"])
async def test_both_keys_of_every_scope_open_the_api(gateway_bench: Bench, name: str, which: str) -> None:
    closed(gateway_bench)

    response = await gateway_bench.call(headers={"api-key": f"{name}-{which}"})

    assert response.status == 200


def taking_bearers(bench: Bench, *, required: bool = True) -> None:
    api = {"subscription_required": required, "key_header": "api-key", "key_bearer": True}
    bench.load(inbound(), api=api, subscriptions=SUBSCRIPTIONS, products=PRODUCTS)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
@pytest.mark.parametrize("key", ["api-primary", "all-secondary", "product-primary"])
async def test_a_key_is_accepted_as_a_bearer_token_where_the_api_says_so(
    gateway_bench: Bench, scheme: str, key: str
) -> None:
    taking_bearers(gateway_bench)

    assert (await gateway_bench.call(headers={"Authorization": f"{scheme} {key}"})).status == 200


@pytest.mark.parametrize("required", [True, False], ids=["closed API", "open API"])
@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer other-primary", "Bearer cancelled-primary"])
async def test_a_bearer_token_that_is_no_key_of_the_api_is_refused(
    gateway_bench: Bench, value: str, required: bool
) -> None:
    taking_bearers(gateway_bench, required=required)

    response = await gateway_bench.call(headers={"Authorization": value})

    assert (response.status, await response.read()) == (401, INVALID)
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize("value", ["Basic api-primary", "Bearer", "Bearer ", "api-primary"])
async def test_what_is_no_bearer_token_is_no_key(gateway_bench: Bench, value: str) -> None:
    taking_bearers(gateway_bench)

    response = await gateway_bench.call(headers={"Authorization": value})

    assert (response.status, await response.read()) == (401, MISSING)


async def test_the_header_of_the_key_wins_over_a_bearer_token(gateway_bench: Bench) -> None:
    taking_bearers(gateway_bench)
    bearer = {"Authorization": "Bearer api-primary"}

    assert (await gateway_bench.call(headers={"api-key": "wrong", **bearer})).status == 401
    assert (await gateway_bench.call(headers={"api-key": "api-primary", "Authorization": "Bearer none"})).status == 200


async def test_a_bearer_token_is_no_key_unless_the_api_says_so(gateway_bench: Bench) -> None:
    closed(gateway_bench)

    response = await gateway_bench.call(headers={"Authorization": "Bearer api-primary"})

    assert (response.status, await response.read()) == (401, MISSING)


async def test_query_is_looked_at_only_without_the_header(gateway_bench: Bench) -> None:
    closed(gateway_bench)
    path = "/api/models?subscription-key=api-primary"

    assert (await gateway_bench.call(path)).status == 200
    assert (await gateway_bench.call(path, headers={"api-key": "wrong"})).status == 401


async def test_key_given_twice_is_invalid(gateway_bench: Bench) -> None:
    closed(gateway_bench)

    response = await gateway_bench.call(headers=[("api-key", "api-primary"), ("api-key", "api-primary")])

    assert await response.read() == INVALID


async def test_key_reaches_the_backend_unless_a_policy_deletes_it(gateway_bench: Bench) -> None:
    closed(gateway_bench)
    await gateway_bench.call(headers={"api-key": "api-primary"})
    assert gateway_bench.backend.last.headers["api-key"] == "api-primary"

    delete = '<set-header name="api-key" exists-action="delete"/>'
    gateway_bench.load(
        inbound(delete), api={"subscription_required": True, "key_header": "api-key"}, subscriptions=SUBSCRIPTIONS
    )
    await gateway_bench.call(headers={"api-key": "api-primary"})

    assert "api-key" not in gateway_bench.backend.last.headers


async def test_key_in_the_query_reaches_the_backend_too_unless_a_policy_deletes_it(gateway_bench: Bench) -> None:
    closed(gateway_bench)
    await gateway_bench.call("/api/models?a=1&subscription-key=api-primary")
    assert gateway_bench.backend.last.path == "/openai/models?a=1&subscription-key=api-primary"

    delete = '<set-query-parameter name="subscription-key" exists-action="delete"/>'
    gateway_bench.load(inbound(delete), api={"subscription_required": True}, subscriptions=SUBSCRIPTIONS)
    await gateway_bench.call("/api/models?a=1&subscription-key=api-primary")

    assert gateway_bench.backend.last.path == "/openai/models?a=1"


async def test_open_product_lets_calls_in_without_a_key(gateway_bench: Bench) -> None:
    product = Product(id="open", api_ids=frozenset({"api"}), subscription_required=False)
    gateway_bench.load(inbound(), api={"subscription_required": True}, products=(product,))

    assert (await gateway_bench.call()).status == 200


async def test_on_error_runs_for_a_refused_key(gateway_bench: Bench) -> None:
    change = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
    gateway_bench.load(inbound(on_error=change), api={"subscription_required": True})

    response = await gateway_bench.call()

    assert response.headers["X-Why"] == "authorization/SubscriptionKeyNotFound"
    assert await response.read() == MISSING


def test_scope_that_is_none_is_refused() -> None:
    with pytest.raises(PolicyLoadError, match="scope /users/1 is not"):
        compile_plan(gateway(subscriptions=(subscription("odd", "/users/1"),)))


async def test_expressions_read_both_keys_of_the_callers_subscription(gateway_bench: Bench) -> None:
    keys = "@(context.Subscription.PrimaryKey + context.Subscription.SecondaryKey)"
    policy = inbound(f'<return-response><set-header name="X-Keys"><value>{keys}</value></set-header></return-response>')
    api = {"subscription_required": True, "key_header": "api-key", "key_query": "subscription-key"}
    gateway_bench.load(policy, api=api, subscriptions=SUBSCRIPTIONS, products=PRODUCTS)

    response = await gateway_bench.call(headers={"api-key": "api-secondary"})

    assert response.headers["X-Keys"] == "api-primaryapi-secondary"
