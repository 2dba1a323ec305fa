import aiohttp
import pytest

from apim_emulator.gateway import PolicyLoadError, effective_policy
from apim_emulator.model import Operation, Product, Subscription
from emulator.tests.gateway.harness import BACKEND_URL, CHAT, MODELS, Bench, gateway, header, inbound, reply

THROWS = header("X-Boom", '@((string)context.Variables["absent"])')


async def test_request_reaches_the_backend_below_its_base_path(gateway_bench: Bench) -> None:
    gateway_bench.load()

    response = await gateway_bench.call(
        "/api/deployments/gpt-4o/chat/completions?api-version=2024-10-21&q=a%20b+c", "POST", json={"model": "x"}
    )

    assert response.status == 200
    assert gateway_bench.backend.last.path == (
        "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21&q=a%20b+c"
    )
    assert gateway_bench.backend.last.headers["Host"] == "contoso.openai.azure.com"
    assert gateway_bench.backend.last.body == b'{"model": "x"}'
    record = gateway_bench.records[-1]
    assert (record.api, record.operation, record.status, record.backend_called) == ("api", "chat", 200, True)


async def test_nothing_is_served_before_a_gateway_is_loaded(gateway_bench: Bench) -> None:
    response = await gateway_bench.call()

    assert response.status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/other/models", id="no API"),
        pytest.param("GET", "/api/unknown", id="no operation"),
        pytest.param("POST", "/api/models", id="another method"),
        pytest.param("GET", "/apix/models", id="prefix inside a segment"),
        pytest.param("GET", "/API/models", id="another case"),
        pytest.param("POST", "/api/deployments//chat/completions", id="empty parameter"),
    ],
)
async def test_call_that_no_operation_matches_is_answered_404(gateway_bench: Bench, method: str, path: str) -> None:
    gateway_bench.load()

    response = await gateway_bench.call(path, method)

    assert response.status == 404
    assert await response.read() == b'{ "statusCode": 404, "message": "Resource not found" }'
    assert gateway_bench.backend.calls == []
    assert gateway_bench.records[-1].error == "OperationNotFound"


@pytest.mark.parametrize(
    "path",
    [
        "/api/../models",
        "/api/%2e%2e/models",
        "/api/%2E./models",
        "/api/deployments/..%2fadmin/chat/completions",
        "/api/deployments/%2e%2e%2f%2e%2e/chat/completions",
        "/api/deployments/%252e%252e/chat/completions",
        "/api/deployments/%252f/chat/completions",
        "/api/deployments/..;a/chat/completions",
        "/api/deployments/a%5cb/chat/completions",
        "/api/deployments/a%00/chat/completions",
        "/api/deployments/a%0d%0ab/chat/completions",
        "/api/./models",
        "//api/models",
    ],
)
async def test_path_that_could_leave_the_api_is_refused(gateway_bench: Bench, path: str) -> None:
    gateway_bench.load()

    request = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    assert (await gateway_bench.raw(request)).startswith(b"HTTP/1.1 404 ")
    assert gateway_bench.backend.calls == []


async def test_longest_api_path_wins(gateway_bench: Bench) -> None:
    base = gateway(inbound(reply("short")))
    longer = gateway(inbound(reply("long")), api={"id": "long", "path": "api/v2"}).apis
    gateway_bench.server.load(gateway(apis=(*base.apis, *longer)))

    assert (await gateway_bench.call("/api/v2/models")).headers["X-Value"] == "long"
    assert (await gateway_bench.call("/api/models")).headers["X-Value"] == "short"


async def test_base_puts_the_outer_scope_before_and_after(gateway_bench: Bench) -> None:
    def document(name: str) -> str:
        before, after = (header("X-Trail", f"{name}-{when}", "append") for when in ("before", "after"))
        return f"<policies><inbound>{before}<base/>{after}</inbound></policies>"

    operation = Operation(name="models", method="GET", url_template="/models", policy=document("operation"))
    gateway_bench.load(
        document("api"),
        api={"operations": (operation,)},
        products=(
            Product(id="open", api_ids=frozenset({"api"}), subscription_required=False, policy=document("product")),
        ),
        policy=document("global"),
    )

    await gateway_bench.call()

    assert gateway_bench.backend.last.headers["X-Trail"].split(",") == [
        "operation-before", "api-before", "product-before", "global-before",
        "global-after", "product-after", "api-after", "operation-after",
    ]  # fmt: skip


async def test_section_without_base_drops_the_outer_scope(gateway_bench: Bench) -> None:
    gateway_bench.load(
        "<policies><inbound/></policies>", policy=f"<policies><inbound>{header('X-Global', '1')}</inbound></policies>"
    )

    await gateway_bench.call()

    assert "X-Global" not in gateway_bench.backend.last.headers


async def test_backend_section_without_forward_request_calls_nobody(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(backend="", outbound=header("X-Out", "1")))

    response = await gateway_bench.call()

    assert (response.status, response.headers["X-Out"]) == (200, "1")
    assert not gateway_bench.records[-1].backend_called


async def test_expression_that_throws_is_answered_500_and_tells_on_error_why(gateway_bench: Bench) -> None:
    report = header("X-Error", '@(context.LastError.Source + "|")')
    rest = "".join(
        header(f"X-{member}", f"@(context.LastError.{member})")
        for member in ("Reason", "Message", "Scope", "Section", "Path", "PolicyId")
    )
    policy = THROWS.replace("<set-header ", "<set-header id='boom' ")
    choose = f"<choose><when condition='@(false)'/><when condition='@(true)'>{policy}</when></choose>"
    gateway_bench.load(inbound(choose, on_error=report + rest))

    response = await gateway_bench.call()

    body = await response.json()
    assert response.status == 500
    assert (body["statusCode"], body["message"]) == (500, "Internal server error")
    assert len(body["activityId"]) == 36
    assert response.headers["X-Error"] == "set-header|"
    assert response.headers["X-Reason"] == "ExpressionValueEvaluationFailure"
    assert response.headers["X-Message"] == "Expression evaluation failed. KeyNotFoundException"
    assert response.headers["X-Scope"] == "api"
    assert response.headers["X-Section"] == "inbound"
    assert response.headers["X-Path"] == "choose/when[2]/set-header"
    assert response.headers["X-PolicyId"] == "boom"
    assert gateway_bench.backend.calls == []


async def test_failure_inside_on_error_is_answered_plainly(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(THROWS, on_error=THROWS))

    assert (await gateway_bench.call()).status == 500


async def test_on_error_can_answer_instead(gateway_bench: Bench) -> None:
    answer = '<return-response><set-status code="418" reason="Short and stout"/></return-response>'
    gateway_bench.load(inbound(THROWS, on_error=answer))

    response = await gateway_bench.call()

    assert (response.status, response.reason, await response.read()) == (418, "Short and stout", b"")


async def test_return_response_ends_the_pipeline(gateway_bench: Bench) -> None:
    answer = (
        '<return-response><set-status code="202"/><set-header name="Content-Type"><value>text/plain</value>'
        '</set-header><set-body>@("a" + 1)</set-body></return-response>'
    )
    gateway_bench.load(inbound(answer, THROWS, outbound=header("X-Out", "1")))

    response = await gateway_bench.call()

    assert (response.status, response.reason, await response.text()) == (202, "Accepted", "a1")
    assert response.headers["Content-Type"] == "text/plain"
    assert "X-Out" not in response.headers
    assert "Server" not in response.headers
    assert not gateway_bench.records[-1].backend_called


async def test_return_response_without_children_is_an_empty_200(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound("<return-response/>"))

    response = await gateway_bench.call()

    assert (response.status, await response.read()) == (200, b"")
    assert "Content-Type" not in response.headers


async def test_load_swaps_all_or_nothing(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply("first")))
    with pytest.raises(PolicyLoadError):
        gateway_bench.load(inbound("<unknown/>"))
    assert (await gateway_bench.call()).headers["X-Value"] == "first"

    gateway_bench.load(inbound(reply("second")))

    assert (await gateway_bench.call()).headers["X-Value"] == "second"


async def test_named_value_is_put_in_before_the_expression_is_read(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply('@("{{word}}" + {{number}})')), named_values={"word": "x", "number": "1 + 2"})

    assert (await gateway_bench.call()).headers["X-Value"] == "x12"


async def test_named_value_cannot_add_policies(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(reply("{{v}}")), named_values={"v": "</value><value>&amp;{{w}}"})

    assert (await gateway_bench.call()).headers["X-Value"] == "</value><value>&amp;{{w}}"


async def test_fragment_is_inserted_even_inside_another(gateway_bench: Bench) -> None:
    gateway_bench.load(
        inbound('<include-fragment fragment-id="outer"/>'),
        fragments={
            "outer": '<fragment><choose><when condition="true"><include-fragment fragment-id="inner"/></when></choose>'
            "</fragment>",
            "inner": f"<fragment>{reply('inner')}</fragment>",
        },
    )

    assert (await gateway_bench.call()).headers["X-Value"] == "inner"


async def test_product_policy_runs_only_for_calls_in_its_context(gateway_bench: Bench) -> None:
    product = Product(id="gold", api_ids=frozenset({"api"}), policy=inbound(header("X-Product", "gold")))
    keys = tuple(
        Subscription(id=name, scope=scope, primary_key=name, secondary_key="")
        for name, scope in (("by-product", "/products/gold"), ("by-api", "/apis/api"))
    )
    gateway_bench.load(api={"subscription_required": True}, products=(product,), subscriptions=keys)

    for key, expected in (("by-product", "gold"), ("by-api", None)):
        await gateway_bench.call(headers={"Ocp-Apim-Subscription-Key": key})
        assert gateway_bench.backend.last.headers.get("X-Product") == expected


def test_effective_policy_shows_what_runs_but_no_named_value() -> None:
    service = gateway(
        inbound('<include-fragment fragment-id="f"/>', header("A", "{{secret}}")),
        fragments={"f": f"<fragment>{header('F', '1')}</fragment>"},
        named_values={"secret": "s3cret"},
        policy="<policies><inbound><base/><set-variable name='g' value='1'/></inbound></policies>",
    )

    text = effective_policy(service, "api")

    assert "s3cret" not in text
    assert "{{secret}}" in text
    assert [text.index(part) for part in ('name="g"', 'name="F"', 'name="A"', "<forward-request/>")] == sorted(
        text.index(part) for part in ('name="g"', 'name="F"', 'name="A"', "<forward-request/>")
    )


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(("none", None, None), id="API"),
        pytest.param(("api", "none", None), id="operation"),
        pytest.param(("api", None, "none"), id="product"),
    ],
)
def test_effective_policy_names_what_does_not_exist(selection: tuple[str, str | None, str | None]) -> None:
    with pytest.raises(LookupError, match="none does not exist"):
        effective_policy(gateway(), *selection)


async def test_literal_operation_segment_wins_over_a_parameter(gateway_bench: Bench) -> None:
    special = Operation(
        name="special", method="POST", url_template="/deployments/own/chat/completions", policy=inbound(reply("own"))
    )
    wildcard = Operation(name="rest", method="GET", url_template="/files/{*path}")
    gateway_bench.load(inbound(), api={"operations": (CHAT, special, wildcard, MODELS)})

    assert (await gateway_bench.call("/api/deployments/own/chat/completions", "POST")).headers["X-Value"] == "own"
    assert (await gateway_bench.call("/api/deployments/any/chat/completions", "POST")).status == 200
    assert (await gateway_bench.call("/api/files/a/b")).status == 200
    assert gateway_bench.records[-1].operation == "rest"


async def test_host_header_follows_the_backend_unless_a_policy_sets_it(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(header("Host", "example.org")))

    await gateway_bench.call()

    assert gateway_bench.backend.last.headers["Host"] == "example.org"


@pytest.mark.parametrize("name", ["Authorization", "api-key"])
async def test_connection_takes_no_credential_off(gateway_bench: Bench, name: str) -> None:
    gateway_bench.load()

    await gateway_bench.call(headers={"Connection": f"{name.lower()}, close", name: "mine"})

    assert gateway_bench.backend.last.headers[name] == "mine"


async def test_connection_headers_stay_on_their_connection(gateway_bench: Bench) -> None:
    gateway_bench.load()

    await gateway_bench.call(
        headers={"Connection": "X-Named", "X-Named": "1", "TE": "trailers", "Proxy-Authorization": "x", "X-Kept": "1"}
    )

    seen = gateway_bench.backend.last.headers
    assert seen["X-Kept"] == "1"
    assert not {"X-Named", "TE", "Proxy-Authorization"} & set(seen)
    assert seen["X-Forwarded-For"] == "127.0.0.1"


async def test_context_tells_about_the_call(gateway_bench: Bench) -> None:
    parts = (
        "context.Api.Id + context.Api.Path", "context.Operation.Id", "context.Operation.UrlTemplate",
        "context.Request.Method", 'context.Request.MatchedParameters["deployment-id"]', "context.Request.IpAddress",
        "context.Request.OriginalUrl.Path", "context.Request.Url.Path", "context.Request.Url.QueryString",
        '(context.Subscription?.Id ?? "none")', '(context.Product?.Id ?? "none")', "context.Deployment.ServiceName",
        "context.Deployment.Gateway.InstanceId", "context.Deployment.Gateway.IsManaged",
    )  # fmt: skip
    gateway_bench.load(inbound(reply("@(" + ' + "|" + '.join(parts) + ")")))

    response = await gateway_bench.call("/api/deployments/gpt%20x/chat/completions?a=1", "POST")

    assert response.headers["X-Value"].split("|") == [
        "apiapi", "chat", CHAT.url_template, "POST", "gpt%20x", "127.0.0.1",
        "/api/deployments/gpt%20x/chat/completions", "/openai/deployments/gpt%20x/chat/completions", "?a=1",
        "none", "none", "contoso", "managed", "True",
    ]  # fmt: skip


async def test_models_template_serves_get(gateway_bench: Bench) -> None:
    gateway_bench.load(api={"operations": (MODELS,), "service_url": f"{BACKEND_URL}/"})

    response = await gateway_bench.call()

    assert isinstance(response, aiohttp.ClientResponse)
    assert gateway_bench.backend.last.path == "/openai/models"
