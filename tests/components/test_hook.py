"""Policies of the user's own, hostile ones too, on a gateway that runs what the components render."""

import json
from typing import Any

import pulumi
import pytest

from apim_emulator.model import Subscription
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import PolicyBench, Reply, identity_token
from components import KeyAuthApi, ManagedIdentityApi
from components._api import policy_document
from components._hook import api_hook
from options import KeyOptions, PolicyOptions
from policies import (
    BEARER_TOKEN,
    TOKEN_VARIABLE,
    AuthenticationManagedIdentity,
    Policy,
    SetBackendService,
    SetHeader,
    ValidateAzureAdToken,
)
from tests.components.conftest import Azure, exporting
from tests.deployed import deploy_component
from tests.judges import errors_of

AUDIENCE = "api://openai"
KEY = "0123456789abcdef0123456789abcdef"
OWN_TOKEN = f"Bearer {identity_token('https://cognitiveservices.azure.com')}"
CHAT = "/deployments/chat/chat/completions?api-version=2024-10-21"
CREDENTIAL: list[Policy] = [
    SetBackendService(backend_id="openai"),
    AuthenticationManagedIdentity(output_token_variable_name=TOKEN_VARIABLE),
    SetHeader(name="Authorization", values=[BEARER_TOKEN]),
]


def bench(hook: dict[str, str], *, accounts: int = 1, by_token: bool = True, **service: Any) -> PolicyBench:
    """A gateway in front of `openai`, whose callers present a token or a subscription key."""
    found = PolicyBench(None, backends={"openai": lambda _: Reply(json={})}, **service)
    validation: list[Policy] = [ValidateAzureAdToken(tenant_id=found.entra.tenant_id, audiences=[AUDIENCE])]
    text = policy_document(
        validation if by_token else [],
        CREDENTIAL,
        hook=api_hook("openai", {"policy": hook}),
        accounts=accounts,
        subscription_required=not by_token,
        sku="BasicV2",
    )
    subscription = Subscription(id="callers", scope="/apis", primary_key=KEY, secondary_key=KEY[::-1])
    keys = {"key_header": "api-key", "key_query": "api-key"}
    found.load(text, **({} if by_token else {"subscriptions": (subscription,), "api": keys}))
    return found


def header(value: str, name: str = "X-Copy") -> str:
    return f'<set-header name="{name}" exists-action="override"><value>{value}</value></set-header>'


READ = 'context.Request.Headers.GetValueOrDefault("Authorization", "")'
HARMLESS = [
    pytest.param({"inbound": f"<return-response>{header('yes')}</return-response>"}, id="answers at once"),
    pytest.param({"inbound": header("@(null)") + header("x", '@("Authori" + "zation")')}, id="another Authorization"),
    pytest.param({"inbound": header("stolen", '@("api-" + "key")')}, id="another key"),
    pytest.param({"inbound": '<set-method>GET</set-method><rewrite-uri template="/other" />'}, id="another operation"),
    pytest.param({"inbound": f'<choose><when condition="@(true)">{header("a")}</when></choose>'}, id="in a branch"),
    pytest.param({"inbound": '<set-variable name="msi" value="@(context.Variables["none"])" />'}, id="fails"),
    pytest.param({"backend": '<set-variable name="a" value="b" /><return-response />'}, id="answers in backend"),
    pytest.param({"backend": '<set-variable name="a" value="@(context.Variables["none"])" />'}, id="fails in backend"),
    pytest.param({"outbound": '<set-status code="200" reason="OK" />' + header("a")}, id="another answer"),
    pytest.param({"on_error": '<return-response><set-status code="200" /></return-response>'}, id="hides refusals"),
    pytest.param(
        {
            "on_error": '<retry condition="@(true)" count="2" interval="0">'
            '<trace source="a"><message>b</message></trace></retry>'
        },
        id="retries",
    ),
    pytest.param(
        {
            "inbound": '<send-request mode="copy" response-variable-name="a"><set-url>https://ours.test</set-url>'
            "</send-request>"
        },
        id="asks a service of its own",
    ),
]
LEAKS = [
    pytest.param(header(f"@({READ})"), id="header"),
    pytest.param(header(f"@({READ}.Substring(7))"), id="the token alone"),
    pytest.param(header(f'@("x" + {READ} + "y")'), id="in other text"),
    pytest.param(header(f"@({READ})", "@(context.Request.Method)"), id="header whose name is computed"),
    pytest.param(
        f'<set-query-parameter name="x" exists-action="override"><value>@({READ})</value></set-query-parameter>',
        id="query parameter",
    ),
    pytest.param(f'<rewrite-uri template="@("/" + {READ}.Substring(7))" />', id="path"),
    pytest.param(f"<set-body>@({READ})</set-body>", id="body"),
    pytest.param(
        f'<set-variable name="mine" value="@({READ})" />' + header('@((string)context.Variables["mine"])'),
        id="by a variable",
    ),
    pytest.param(header('@(string.Join(" ", context.Request.Headers.SelectMany(all => all.Value)))'), id="any header"),
    pytest.param(header('@((string)context.Variables["openai-" + "gateway-caller"])'), id="the variable kept"),
]


@pytest.mark.parametrize("accounts", [1, 2])
@pytest.mark.parametrize("hook", HARMLESS)
def test_no_hook_lets_a_stranger_through(hook: dict[str, str], accounts: int) -> None:
    found = bench(hook, accounts=accounts, hosts={"ours.test": lambda _: Reply()})
    stale = found.entra.token(AUDIENCE, age=7200)
    other = found.entra.token("api://other")

    for headers in ({}, {"Authorization": f"Bearer {stale}"}, {"Authorization": f"Bearer {other}"}, {"api-key": KEY}):
        assert found.post(CHAT, headers=headers, json={}).requests == ()


@pytest.mark.parametrize("hook", HARMLESS)
def test_no_hook_lets_a_caller_without_a_key_through(hook: dict[str, str]) -> None:
    found = bench(hook, by_token=False, hosts={"ours.test": lambda _: Reply()})

    for url, headers in ((CHAT, {}), (CHAT, {"api-key": "x" * 32}), (f"{CHAT}&api-key=wrong", {})):
        assert found.post(url, headers=headers, json={}).requests == ()


@pytest.mark.parametrize("accounts", [1, 2])
@pytest.mark.parametrize("hook", HARMLESS)
def test_the_gateway_presents_its_own_credential_alone_whatever_the_hook_does(
    hook: dict[str, str], accounts: int
) -> None:
    found = bench(hook, accounts=accounts, hosts={"ours.test": lambda _: Reply()})
    token = found.entra.token(AUDIENCE)

    answer = found.post(f"{CHAT}&api-key={KEY}", headers={"Authorization": f"Bearer {token}", "api-key": KEY}, json={})

    for request in answer.requests:
        if request.url.startswith("https://openai.test/"):
            assert request.headers.getall("Authorization") == [OWN_TOKEN]
            assert "api-key" not in request.headers
            assert not any(secret in f"{request.url}{request.headers}{request.text}" for secret in (token, KEY))
        else:
            assert request.url == "https://ours.test"
    assert answer.status_code in {200, 500}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_a_caller_presented_goes_out_under_no_other_name(leak: str) -> None:
    found = bench({"inbound": leak})
    token = found.entra.token(AUDIENCE)

    answer = found.post(CHAT, headers={"Authorization": f"Bearer {token}"}, json={})

    assert answer.requests == ()
    assert (answer.status_code, json.loads(answer.text)["message"]) == (
        500,
        "The API's policies would pass on the caller's credential.",
    )


@pytest.mark.parametrize("place", ["header", "query"])
def test_a_subscription_key_goes_out_under_no_other_name(place: str) -> None:
    presented = (
        'context.Request.OriginalUrl.Query.GetValueOrDefault("api-key", "")',
        'context.Request.Headers.GetValueOrDefault("api-key", "")',
    )
    copied = header(f"@({' + '.join(presented)})")
    found = bench({"inbound": copied}, by_token=False)

    answer = (
        found.post(CHAT, headers={"api-key": KEY}, json={})
        if place == "header"
        else found.post(f"{CHAT}&api-key={KEY}", json={})
    )

    assert (answer.status_code, answer.requests) == (500, ())


def test_a_hook_knows_the_caller() -> None:
    subject = f"{READ}.AsJwt()?.Subject"
    found = bench({"inbound": header(f"@({subject})", "X-Caller")})
    token = found.entra.token(AUDIENCE, client_id="22222222-0000-4000-8000-000000000002")

    answer = found.post(CHAT, headers={"Authorization": f"Bearer {token}"}, json={"a": 1})

    assert answer.status_code == 200
    assert answer.requests[0].headers["X-Caller"] == "22222222-0000-4000-8000-000000000002"
    assert answer.requests[0].text == '{"a": 1}'


def test_each_section_runs_in_its_place() -> None:
    mark = '<set-variable name="{0}" value="@("{0} after " + string.Join(",", context.Variables.Keys))" />'
    found = bench(
        {
            "inbound": mark.format("one"),
            "backend": mark.format("two"),
            "outbound": header('@((string)context.Variables["two"])') + '<set-body>@("seen")</set-body>',
        }
    )

    answer = found.post(CHAT, headers={"Authorization": f"Bearer {found.entra.token(AUDIENCE)}"}, json={})

    assert answer.headers["X-Copy"].endswith(f"one,{TOKEN_VARIABLE}")
    assert answer.text == "seen"


def test_a_caller_may_write_the_credential_into_a_body_that_no_hook_writes() -> None:
    found = bench({"inbound": header("a")})
    token = found.entra.token(AUDIENCE)

    answer = found.post(CHAT, headers={"Authorization": f"Bearer {token}"}, json={"secret": token})

    assert (answer.status_code, [request.json() for request in answer.requests]) == (200, [{"secret": token}])


def test_a_hook_says_what_callers_read_of_a_failure() -> None:
    found = bench({"on_error": '<set-body>{ "sorry": true }</set-body>'})

    answer = found.post(CHAT, json={})

    assert (answer.status_code, answer.text) == (401, '{ "sorry": true }')


def test_a_backend_hook_runs_once_before_a_pool_is_tried() -> None:
    count = '<set-variable name="n" value="@(context.Variables.GetValueOrDefault<int>("n", 0) + 1)" />'
    found = bench({"backend": count, "outbound": header('@(context.Variables["n"].ToString())')}, accounts=3)

    answer = found.post(CHAT, headers={"Authorization": f"Bearer {found.entra.token(AUDIENCE)}"}, json={})

    assert (len(answer.requests), answer.headers["X-Copy"]) == (1, "1")


@pytest.mark.parametrize("accounts", [1, 2])
@pytest.mark.parametrize("hook", HARMLESS)
def test_a_document_with_a_hook_is_one_of_the_services(hook: dict[str, str], accounts: int) -> None:
    text = policy_document(
        [],
        CREDENTIAL,
        hook=api_hook("openai", {"policy": hook}),
        accounts=accounts,
        subscription_required=True,
        sku="BasicV2",
    )

    assert errors_of(text) == []


def test_a_key_in_a_header_is_the_gateways_own_whatever_the_hook_sets() -> None:
    found = PolicyBench(None, backends={"openai": lambda _: Reply()}, named_values={"openai-api-key": "own"})
    keyed: list[Policy] = [
        SetBackendService(backend_id="openai"),
        SetHeader(name="api-key", values=["{{openai-api-key}}"]),
    ]
    hook = api_hook("openai", {"policy": {"inbound": header("stolen", '@("API-" + "Key")')}})
    found.load(policy_document([], keyed, hook=hook, accounts=1, subscription_required=False, sku=None))

    (request,) = found.post(CHAT, headers={"api-key": KEY}, json={}).requests

    assert request.headers.getall("api-key") == ["own"]


def test_without_a_hook_nothing_is_added() -> None:
    given: dict[str, Any] = {"accounts": 1, "subscription_required": True, "sku": None}

    empty = policy_document([], CREDENTIAL, hook=api_hook("openai", {"policy": {}}), **given)

    assert empty == policy_document([], CREDENTIAL, **given)


@pytest.mark.parametrize("component", [KeyAuthApi, ManagedIdentityApi])
def test_a_hook_may_be_given_as_typed_policies(azure: Azure, component: Any) -> None:
    policy = PolicyOptions.typed(
        inbound=[SetHeader(name="X-Team", values=["blue"])], outbound=[SetHeader(name="X-By", values=["us"])]
    )
    args = azure.api_args(azure.account("oai"), policy=policy)

    deployed = deploy_component(exporting(lambda: component("openai", args), "api_id"), azure.cloud)

    text = deployed.policy("openai")
    assert text.index('name="X-Team"') < text.index('<set-header name="api-key" exists-action="delete"')
    assert text.index("<outbound>") < text.index('name="X-By"')


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        pytest.param({"inbound": "<base />", "on_error": "<x"}, "policy.inbound: line 1, column 1: base runs", id="1"),
        pytest.param({"inbound": "<base />", "on_error": "<x"}, "policy.on_error: line 1, column 3: is not", id="2"),
        pytest.param({"inbond": "<trace />"}, "policy.inbond", id="unknown section"),
        pytest.param({"outbound": "{{mine-west}}<trace/>"}, "policy.outbound: line 1, column 1: ", id="own key"),
    ],
)
def test_mistakes_are_told_before_anything_is_created(azure: Azure, policy: dict[str, str], said: str) -> None:
    args = azure.api_args(azure.account("oai"), policy=policy, key=KeyOptions(named_value="mine"))

    with pytest.raises(DeployError) as refused:
        deploy_component(lambda: KeyAuthApi("openai", args), azure.cloud)

    assert said in str(refused.value)
    assert azure.cloud.gateways()[0].apis == ()


def test_a_policy_that_the_tier_lacks_fails_the_preview(azure: Azure) -> None:
    limit = '<rate-limit-by-key calls="1" renewal-period="60" counter-key="a" />'
    args = azure.api_args(azure.account("oai"), policy={"inbound": limit}, sku="Consumption")

    with pytest.raises(DeployError, match="rate-limit-by-key is not available in Consumption"):
        deploy_component(lambda: ManagedIdentityApi("openai", args), azure.cloud, preview=True)


def test_a_key_that_the_api_keeps_is_no_text_of_a_hook() -> None:
    with pytest.raises(pulumi.RunError, match=r"policy.outbound: line 1, column 27: value holds the named value team"):
        api_hook(
            "openai",
            {
                "policy": {"outbound": '<set-header name="a"     ><value>{{team}}</value></set-header>'},
                "key": KeyOptions(named_value="team"),
            },
        )
