from typing import Any

import pytest
from aiohttp import web

from apim_emulator.model import Backend, BackendIdentity, PoolMember
from apim_emulator.testing import PolicyBench, Reply
from apim_emulator.testing.bench import identity_token
from emulator.tests.gateway.harness import BACKEND_URL, Bench, Seen, header, inbound, reply

IDENTITY = "<authentication-managed-identity resource='https://cognitiveservices.azure.com' {}/>"
CHECK = "<check-header name='X-Team' failed-check-httpcode='403' {}>{}</check-header>"


async def sent(bench: Bench, *policies: str, path: str = "/api/models", **options: Any) -> Seen:
    """Call through policies and give what the backend saw."""
    bench.load(inbound(*policies))
    response = await bench.call(path, **options)
    assert response.status == 200
    return bench.backend.last


# set-header


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [
        pytest.param("override", ["a"], ["v"], id="override"),
        pytest.param("override", [], ["v"], id="override absent"),
        pytest.param("skip", ["a"], ["a"], id="skip"),
        pytest.param("skip", [], ["v"], id="skip absent"),
        pytest.param("append", ["a"], ["a,v"], id="append"),
        pytest.param("append", [], ["v"], id="append absent"),
    ],
)
async def test_set_header_actions(gateway_bench: Bench, action: str, given: list[str], expected: list[str]) -> None:
    seen = await sent(gateway_bench, header("X-A", "v", action), headers=[("x-a", value) for value in given])

    assert seen.headers.getall("X-A") == expected


@pytest.mark.parametrize(("action", "expected"), [("append", "a,v"), ("delete", None)])
async def test_set_header_action_from_an_expression(gateway_bench: Bench, action: str, expected: str | None) -> None:
    policy = header("X-A", "v", "@({0}{1}{0} + {0}{0})".format("&quot;", action))

    assert (await sent(gateway_bench, policy, headers={"X-A": "a"})).headers.get("X-A") == expected


async def test_action_without_the_value_that_it_needs_fails(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound("<set-header name='X-A' exists-action='@(\"app\" + \"end\")'/>"))

    assert (await gateway_bench.call()).status == 500


async def test_set_header_deletes(gateway_bench: Bench) -> None:
    seen = await sent(gateway_bench, "<set-header name='X-A' exists-action='delete'/>", headers={"X-A": "1"})

    assert "X-A" not in seen.headers


@pytest.mark.parametrize(
    ("name", "expected"), [("X-Many", ["1,2"]), ("Warning", ["1", "2"])], ids=["comma-separated", "separate lines"]
)
async def test_set_header_with_several_values(gateway_bench: Bench, name: str, expected: list[str]) -> None:
    policy = f"<set-header name='{name}'><value>1</value><value>2</value></set-header>"

    assert (await sent(gateway_bench, policy)).headers.getall(name) == expected


async def test_server_header_of_a_response_cannot_be_deleted(gateway_bench: Bench) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Server": "backend", "X-Powered-By": "x"})

    gateway_bench.backend.answer = answer
    deletes = [f'<set-header name="{name}" exists-action="delete"/>' for name in ("server", "X-Powered-By")]
    gateway_bench.load(inbound(outbound="".join(deletes)))

    response = await gateway_bench.call()

    assert (response.headers["Server"], "X-Powered-By" in response.headers) == ("backend", False)


async def test_client_ip_stays_in_x_forwarded_for(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound('<set-header name="X-Forwarded-For" exists-action="delete"/>'))
    await gateway_bench.call(headers={"X-Forwarded-For": "1.2.3.4"})

    assert gateway_bench.backend.last.headers["X-Forwarded-For"] == "127.0.0.1"


async def test_set_header_in_outbound_changes_the_response(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(outbound=header("X-Status", "@(context.Response.StatusCode.ToString())")))

    assert (await gateway_bench.call()).headers["X-Status"] == "200"


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(header("X-A", '@("a\\r\\nX-B: 1")'), id="value with a line break"),
        pytest.param(header('@("Transfer-" + "Encoding")', "x"), id="name of the connection's"),
    ],
)
def test_header_from_an_expression_is_checked(policy: str) -> None:
    response = PolicyBench(inbound(policy)).get()

    assert (response.status_code, response.requests) == (500, ())


# set-variable, choose, set-query-parameter, rewrite-uri


def test_set_variable_keeps_the_type_of_its_expression() -> None:
    policies = ('<set-variable name="n" value="@(1 + 1)"/>', '<set-variable name="s" value="2"/>')

    assert PolicyBench(inbound(*policies)).get().variables == {"n": 2, "s": "2"}


@pytest.mark.parametrize(("team", "expected"), [("a", "first"), ("b", "second"), ("c", "rest")])
def test_choose_runs_the_first_branch_that_holds(team: str, expected: str) -> None:
    def when(value: str, answer: str) -> str:
        condition = (
            f"@(context.Request.Headers.GetValueOrDefault(&quot;X-Team&quot;, &quot;&quot;) == &quot;{value}&quot;)"
        )
        return f'<when condition="{condition}">{reply(answer)}</when>'

    choose = f"<choose>{when('a', 'first')}{when('b', 'second')}<otherwise>{reply('rest')}</otherwise></choose>"

    assert PolicyBench(inbound(choose)).get(headers={"X-Team": team}).headers["X-Value"] == expected


@pytest.mark.parametrize(
    ("action", "query", "expected"),
    [
        pytest.param("override", "a=1&b=2&A=3", "b=2&a=x%20%26y", id="override"),
        pytest.param("skip", "a=1", "a=1", id="skip"),
        pytest.param("skip", "", "a=x%20%26y", id="skip absent"),
        pytest.param("append", "a=1", "a=1&a=x%20%26y", id="append"),
    ],
)
async def test_set_query_parameter_actions(gateway_bench: Bench, action: str, query: str, expected: str) -> None:
    policy = f"<set-query-parameter name='a' exists-action='{action}'><value>x &amp;y</value></set-query-parameter>"

    seen = await sent(gateway_bench, policy, path=f"/api/models?{query}")

    assert seen.path == f"/openai/models?{expected}"


async def test_set_query_parameter_deletes(gateway_bench: Bench) -> None:
    policy = "<set-query-parameter name='a' exists-action='delete'/>"

    assert (await sent(gateway_bench, policy, path="/api/models?a=1")).path == "/openai/models"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param("template='/v1/{deployment-id}/chat'", "/openai/v1/gpt%204/chat?q=1", id="parameter"),
        pytest.param("template='/v1?x=2'", "/openai/v1?x=2&q=1", id="query of its own"),
        pytest.param("template='/v1' copy-unmatched-params='false'", "/openai/v1", id="drops the query"),
        pytest.param("template='/v1' copy-unmatched-params=' 0 '", "/openai/v1", id="boolean of XML Schema"),
        pytest.param("template='v1/{deployment-id}'", "/openai/v1/gpt%204?q=1", id="without a slash"),
        pytest.param("template='@(\"v1\")'", "/openai/v1?q=1", id="expression without a slash"),
        pytest.param(
            "template='@(\"/d/\" + context.Request.MatchedParameters[\"deployment-id\"])'", "/openai/d/gpt%204?q=1",
            id="expression",
        ),
    ],
)  # fmt: skip
async def test_rewrite_uri(gateway_bench: Bench, attributes: str, expected: str) -> None:
    path = "/api/deployments/gpt%204/chat/completions?q=1"

    assert (await sent(gateway_bench, f"<rewrite-uri {attributes}/>", path=path, method="POST")).path == expected


@pytest.mark.parametrize("template", ["/{absent}", '@("/a/../../b")', '@("/%2e%2e/b")', '@("a//b")'])
def test_rewrite_uri_that_leads_nowhere_or_out_fails(template: str) -> None:
    response = PolicyBench(inbound(f"<rewrite-uri template='{template}'/>")).get()

    assert (response.status_code, response.requests) == (500, ())


# authentication-managed-identity


async def test_system_assigned_identity_replaces_authorization(gateway_bench: Bench) -> None:
    seen = await sent(gateway_bench, IDENTITY.format(""), headers={"Authorization": "Bearer callers-own"})

    assert seen.headers.getall("Authorization") == ["Bearer token-1-of-system-principal"]
    assert gateway_bench.tokens.requests == [("system-principal", "https://cognitiveservices.azure.com")]


async def test_client_id_chooses_the_user_assigned_identity(gateway_bench: Bench) -> None:
    seen = await sent(gateway_bench, IDENTITY.format("client-id='USER-client'"))

    assert seen.headers["Authorization"] == "Bearer token-1-of-user-principal"


async def test_output_variable_keeps_the_token_from_the_header(gateway_bench: Bench) -> None:
    policy = IDENTITY.format("output-token-variable-name='token'")
    gateway_bench.load(inbound(policy, header("X-T", '@((string)context.Variables["token"])')))

    await gateway_bench.call()

    assert gateway_bench.backend.last.headers["X-T"] == "token-1-of-system-principal"
    assert "Authorization" not in gateway_bench.backend.last.headers


async def test_token_is_reused_until_it_expires(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(IDENTITY.format("")))
    tokens = []
    for seconds in (0, 599, 1):
        gateway_bench.clock.advance(seconds)
        await gateway_bench.call()
        tokens.append(gateway_bench.backend.last.headers["Authorization"].split("-")[1])

    assert tokens == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("attributes", "refuse"),
    [pytest.param("client-id='unknown'", False, id="no such identity"), pytest.param("", True, id="no token")],
)
@pytest.mark.parametrize(("ignored", "status"), [("false", 500), ("true", 200)])
async def test_identity_failure_stops_the_call_unless_ignored(
    gateway_bench: Bench, attributes: str, refuse: bool, ignored: str, status: int
) -> None:
    gateway_bench.tokens.refuse = refuse
    gateway_bench.load(inbound(IDENTITY.format(f"{attributes} ignore-error='{ignored}'")))

    assert (await gateway_bench.call()).status == status
    assert gateway_bench.records[-1].backend_called == (status == 200)


# check-header


@pytest.mark.parametrize(
    ("values", "attributes", "given", "expected"),
    [
        pytest.param([], "", ["any"], None, id="presence"),
        pytest.param(["a", "b"], "", ["b"], None, id="one of several"),
        pytest.param(["a"], "ignore-case='true'", ["A"], None, id="another case"),
        pytest.param(
            ["a"], "", ["A"], "Header X-Team value of A is not allowed. Access denied.", id="case counts",
        ),
        pytest.param(
            ["a"], "", ["a", "a"], "Header X-Team value of a,a is not allowed. Access denied.", id="twice",
        ),
        pytest.param([], "", [], "Header X-Team was not found in the request. Access denied.", id="absent"),
        pytest.param([], "failed-check-error-message='No \"team\"'", [], 'No \\"team\\"', id="own message"),
    ],
)  # fmt: skip
async def test_check_header(
    gateway_bench: Bench, values: list[str], attributes: str, given: list[str], expected: str | None
) -> None:
    policy = CHECK.format(attributes, "".join(f"<value>{value}</value>" for value in values))
    gateway_bench.load(inbound(policy))

    response = await gateway_bench.call(headers=[("X-Team", value) for value in given])

    if expected is None:
        assert response.status == 200
    else:
        assert response.status == 403
        assert await response.text() == f'{{ "statusCode": 403, "message": "{expected}" }}'
        assert gateway_bench.backend.calls == []


# set-backend-service and backends


async def test_backend_credentials_are_added_when_forwarding(gateway_bench: Bench) -> None:
    backend = Backend(id="b", url=f"{BACKEND_URL}/", header={"api-key": ("{{key}}",)}, query={"code": ("a b",)})
    gateway_bench.load(
        inbound('<set-backend-service backend-id="b"/>'), backends=(backend,), named_values={"key": "backend-key"}
    )

    await gateway_bench.call("/api/models?code=callers&x=1", headers={"api-key": "callers"})

    assert gateway_bench.backend.last.headers.getall("api-key") == ["backend-key"]
    assert gateway_bench.backend.last.path == "/openai/models?x=1&code=a%20b"


async def test_the_managed_identity_of_a_backend_takes_the_place_of_the_callers_token(gateway_bench: Bench) -> None:
    backend = Backend(id="b", url=BACKEND_URL, identity=BackendIdentity(resource="https://vault.azure.net"))
    gateway_bench.load(inbound('<set-backend-service backend-id="b"/>'), backends=(backend,))

    await gateway_bench.call("/api/models", headers={"Authorization": "Bearer callers"})

    (sent,) = gateway_bench.backend.last.headers.getall("Authorization")
    assert sent == "Bearer token-1-of-system-principal"
    assert gateway_bench.tokens.requests == [("system-principal", "https://vault.azure.net")]


async def test_a_backend_whose_identity_the_service_lacks_gets_no_call(gateway_bench: Bench) -> None:
    identity = BackendIdentity(resource="https://vault.azure.net", client_id="unknown")
    backend = Backend(id="b", url=BACKEND_URL, identity=identity)
    gateway_bench.load(inbound('<set-backend-service backend-id="b"/>'), backends=(backend,))

    response = await gateway_bench.call("/api/models")

    assert response.status == 500
    assert gateway_bench.backend.calls == []


async def test_base_url_from_an_expression(gateway_bench: Bench) -> None:
    policy = "<set-backend-service base-url='@(\"https://contoso.openai.azure.com/other\")'/>"

    assert (await sent(gateway_bench, policy)).path == "/other/models"


def test_base_url_cannot_override_the_backend_of_an_outer_scope() -> None:
    outer = "<policies><inbound><set-backend-service backend-id='b'/></inbound></policies>"
    bench = PolicyBench(backends={"b": lambda _: Reply()})
    bench.load(inbound("<set-backend-service base-url='https://backend.test'/>"), global_policy=outer)

    response = bench.get()

    assert (response.status_code, response.requests) == (500, ())


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param([(0, 1), (0, 1)], "abababab", id="equal shares"),
        pytest.param([(0, 3), (0, 1)], "aabaaaba", id="weights"),
        pytest.param([(2, 1), (1, 1)], "bbbbbbbb", id="lower priority number first"),
        pytest.param([(1, 0), (1, 0)], "abababab", id="no weights"),
    ],
)
def test_pool_shares_calls(members: list[tuple[int, int]], expected: str) -> None:
    pool = Backend(
        id="pool",
        members=tuple(
            PoolMember(backend_id=name, priority=priority, weight=weight)
            for name, (priority, weight) in zip("ab", members, strict=True)
        ),
    )
    backends = dict.fromkeys("ab", lambda _: Reply())
    bench = PolicyBench(inbound('<set-backend-service backend-id="pool"/>'), backends=backends, entities=(pool,))

    assert "".join(bench.get().requests[0].backend for _ in expected) == expected


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://unknown.example.com", id="host without a route"),
        pytest.param("http://127.0.0.1:1", id="nobody listens"),
    ],
)
async def test_backend_that_cannot_be_reached_is_told_to_on_error(gateway_bench: Bench, url: str) -> None:
    change = header("X-Why", '@(context.LastError.Source + "/" + context.LastError.Reason)')
    gateway_bench.load(inbound(on_error=change), api={"service_url": url})

    response = await gateway_bench.call()

    assert response.status == 500
    assert response.headers["X-Why"] == "forward-request/BackendConnectionFailure"
    assert gateway_bench.backend.calls == []


async def test_api_without_a_backend_is_answered_500(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(), api={"service_url": None})

    assert (await gateway_bench.call()).status == 500


def test_identity_token_goes_to_whatever_backend_is_set() -> None:
    policy = inbound(IDENTITY.format(""), "<set-backend-service base-url='https://other.example.com'/>")

    (seen,) = PolicyBench(policy, hosts={"other.example.com": lambda _: Reply()}).get().requests

    assert seen.headers["Authorization"] == f"Bearer {identity_token('https://cognitiveservices.azure.com')}"
