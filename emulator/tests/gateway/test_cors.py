from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Operation, Product, Subscription
from emulator.tests.gateway.harness import CHAT, MODELS, Bench, gateway, header, inbound

ANY_HEADER = "<allowed-headers><header>*</header></allowed-headers>"
PAGE = "https://app.example.com"
THROWS = header("X-Boom", '@((string)context.Variables["absent"])')


def cors(
    *origins: str,
    attributes: str = "",
    methods: str = "",
    headers: str = "<allowed-headers><header>content-type</header></allowed-headers>",
    expose: str = "",
) -> str:
    listed = "".join(f"<origin>{origin}</origin>" for origin in origins or (PAGE,))
    return f"<cors {attributes}><allowed-origins>{listed}</allowed-origins>{methods}{headers}{expose}</cors>"


async def preflight(bench: Bench, origin: str = PAGE, method: str = "GET", asked: str = "", path: str = "/api/models"):  # type: ignore[no-untyped-def]
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    if asked:
        headers["Access-Control-Request-Headers"] = asked
    return await bench.call(path, "OPTIONS", headers=headers)


def allowed(response: Any) -> dict[str, str]:
    return {
        name.removeprefix("Access-Control-"): value
        for name, value in response.headers.items()
        if name.startswith("Access-Control-")
    }


async def test_preflight_is_answered_without_a_key_and_without_other_policies(gateway_bench: Bench) -> None:
    methods = "<allowed-methods preflight-result-max-age='300'><method>GET</method></allowed-methods>"
    gateway_bench.load(
        inbound(THROWS, cors(attributes="allow-credentials='true'", methods=methods), THROWS),
        api={"subscription_required": True},
    )

    response = await preflight(gateway_bench, asked="Content-Type")

    assert (response.status, await response.read()) == (200, b"")
    assert allowed(response) == {
        "Allow-Origin": PAGE, "Allow-Credentials": "true", "Allow-Methods": "GET", "Allow-Headers": "Content-Type",
        "Max-Age": "300",
    }  # fmt: skip
    assert gateway_bench.backend.calls == []


@pytest.mark.parametrize(
    ("policy", "options", "is_allowed"),
    [
        pytest.param(cors(), {}, True, id="allowed"),
        pytest.param(cors(), {"method": "POST", "path": "/api/deployments/d/chat/completions"}, True, id="POST"),
        pytest.param(cors("*"), {"origin": "https://anyone.example"}, True, id="any origin"),
        pytest.param(cors("https://APP.example.com:443/"), {}, True, id="origin written otherwise"),
        pytest.param(cors(), {"origin": "https://evil.example"}, False, id="another origin"),
        pytest.param(cors(), {"origin": "http://app.example.com"}, False, id="another scheme"),
        pytest.param(cors(), {"origin": f"{PAGE}.evil.example"}, False, id="longer origin"),
        pytest.param(cors(), {"origin": f"{PAGE}:8443"}, False, id="another port"),
        pytest.param(cors(), {"origin": "null"}, False, id="no origin"),
        pytest.param(cors(), {"asked": "x-secret"}, False, id="another header"),
        pytest.param(cors(headers=""), {"asked": "content-type"}, False, id="no headers"),
        pytest.param(
            cors(headers=ANY_HEADER), {"asked": "a, b"}, True, id="any header",
        ),
        pytest.param(
            cors(headers=ANY_HEADER), {"asked": "a b"}, False, id="no header",
        ),
        pytest.param(
            cors(methods="<allowed-methods><method>POST</method></allowed-methods>"), {}, False, id="another method",
        ),
        pytest.param(cors(methods="<allowed-methods><method>*</method></allowed-methods>"), {}, True, id="any method"),
        pytest.param(cors(f'@("{PAGE}" + "")'), {}, True, id="origin from an expression"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("terminate", ["true", "false"])
async def test_preflight(
    gateway_bench: Bench, policy: str, options: dict[str, str], is_allowed: bool, terminate: str
) -> None:
    gateway_bench.load(inbound(policy.replace("<cors ", f"<cors terminate-unmatched-request='{terminate}' ")))

    response = await preflight(gateway_bench, **options)

    assert (response.status, await response.read()) == (200, b"")
    assert bool(allowed(response)) is is_allowed
    assert gateway_bench.backend.calls == []


async def test_unmatched_preflight_asks_the_outer_scope_unless_terminated(gateway_bench: Bench) -> None:
    outer = inbound(cors("https://other.example"))
    for terminate, expected in (("false", "https://other.example"), ("true", None)):
        own = cors(attributes=f"terminate-unmatched-request='{terminate}'")
        gateway_bench.load(f"<policies><inbound>{own}<base/></inbound></policies>", policy=outer)
        response = await preflight(gateway_bench, "https://other.example")
        assert response.headers.get("Access-Control-Allow-Origin") == expected


@pytest.mark.parametrize(
    ("policy", "path", "method"),
    [
        pytest.param("", "/api/models", "GET", id="no cors policy"),
        pytest.param(cors(), "/api/unknown", "GET", id="no such path"),
        pytest.param(cors(), "/api/models", "DELETE", id="no such operation"),
    ],
)
async def test_preflight_for_nothing_is_answered_404(gateway_bench: Bench, policy: str, path: str, method: str) -> None:
    gateway_bench.load(inbound(policy))

    assert (await preflight(gateway_bench, method=method, path=path)).status == 404


async def test_own_options_operation_gets_the_preflight(gateway_bench: Bench) -> None:
    own = Operation(name="options", method="OPTIONS", url_template="/models")
    gateway_bench.load(inbound(cors("*")), api={"operations": (CHAT, MODELS, own)})

    assert (await preflight(gateway_bench)).status == 200
    assert gateway_bench.backend.last.method == "OPTIONS"


async def test_options_without_the_headers_of_a_preflight_matches_no_operation(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(cors("*")))

    assert (await gateway_bench.call(method="OPTIONS", headers={"Origin": PAGE})).status == 404


@pytest.mark.parametrize("key", [None, "by-product"], ids=["key in a header", "key in the query"])
async def test_product_scope_sees_a_key_only_in_the_query(gateway_bench: Bench, key: str | None) -> None:
    gateway_bench.load(
        api={"subscription_required": True},
        products=(Product(id="gold", api_ids=frozenset({"api"}), policy=inbound(cors())),),
        subscriptions=(Subscription(id="s", scope="/products/gold", primary_key="by-product", secondary_key=""),),
    )

    response = await preflight(gateway_bench, path="/api/models" + ("" if key is None else f"?subscription-key={key}"))

    assert response.status == (404 if key is None else 200)


async def test_simple_request_gets_the_headers_even_when_it_fails(gateway_bench: Bench) -> None:
    expose = "<expose-headers><header>X-A</header><header>X-B</header></expose-headers>"
    gateway_bench.load(inbound(cors(expose=expose), THROWS))

    response = await gateway_bench.call(headers={"Origin": PAGE})

    assert response.status == 500
    assert allowed(response) == {"Allow-Origin": PAGE, "Expose-Headers": "X-A,X-B"}


@pytest.mark.parametrize(
    ("terminate", "method", "called"),
    [("true", "GET", False), ("false", "GET", True), ("true", "POST", True)],
    ids=["terminated", "passed without headers", "POST is not simple"],
)
async def test_unmatched_simple_request(gateway_bench: Bench, terminate: str, method: str, called: bool) -> None:
    gateway_bench.load(inbound(cors(attributes=f"terminate-unmatched-request='{terminate}'")))
    path = "/api/models" if method == "GET" else "/api/deployments/d/chat/completions"

    response = await gateway_bench.call(path, method, headers={"Origin": "https://evil.example"})

    assert (response.status, bool(gateway_bench.backend.calls)) == (200, called)
    assert allowed(response) == {}


async def test_request_without_an_origin_is_none_of_its_business(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(cors()))

    assert allowed(await gateway_bench.call()) == {}
    assert len(gateway_bench.backend.calls) == 1


async def test_credentials_never_go_to_any_origin(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(cors("*", attributes="allow-credentials='@(1 == 1)'")))

    assert allowed(await gateway_bench.call(headers={"Origin": PAGE})) == {"Allow-Origin": "*"}


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        pytest.param("<cors/>", "needs allowed-origins", id="no origins"),
        pytest.param("<cors><allowed-origins/></cors>", "at least one origin", id="empty origins"),
        pytest.param(cors("*", PAGE), "must stand alone", id="any and one"),
        pytest.param(cors("*", attributes="allow-credentials='true'"), "cannot go to any origin", id="credentials"),
        pytest.param(cors() + cors(), "may stand once in inbound", id="twice"),
        pytest.param(f"<choose><when condition='true'>{cors()}</when></choose>", "directly in inbound", id="nested"),
        pytest.param(cors(headers="<allowed-headers><header>a b</header></allowed-headers>"), "not a header name",
                     id="header name"),
        pytest.param(cors(methods="<allowed-methods max='1'><method>GET</method></allowed-methods>"),
                     "attribute is not supported", id="unknown attribute"),
    ],
)  # fmt: skip
def test_cors_is_refused_with_the_reason(policies: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policies)))
