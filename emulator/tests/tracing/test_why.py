"""Traces say why: what was done that is no change, the gateway's own calls, attempts, tokens and claims."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apim_emulator import gateway
from apim_emulator.model import Backend, CircuitBreaker, Operation, PoolMember, Subscription
from apim_emulator.testing import PolicyBench, Reply, Request
from apim_emulator.tracing import CallTrace, as_text
from apim_emulator.tracing.mask import HIDDEN
from apim_emulator.tracing.model import to_json


def document(inbound: str = "", backend: str = "<base/>", outbound: str = "") -> str:
    return (
        f"<policies><inbound><base/>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound></policies>"
    )


def traced(bench: PolicyBench, method: str = "GET", url: str = "/chat", **options: Any) -> CallTrace:
    trace = bench.send(method, url, **options).trace
    assert trace is not None
    return trace


# what policies did


@pytest.mark.parametrize(
    ("policy", "notes"),
    [
        pytest.param(
            "<set-header name='api-key' exists-action='delete'/>", ["api-key: already absent"], id="header absent"
        ),
        pytest.param(
            "<set-header name='X-A' exists-action='skip'><value>b</value></set-header>",
            ["X-A: skipped, it exists"], id="header skipped",
        ),
        pytest.param(
            "<set-header name='X-A'><value>a</value></set-header>",
            ["changed nothing: it was so already"], id="same value",
        ),
        pytest.param("<set-header name='X-A'><value>b</value></set-header>", [], id="a change says it all"),
        pytest.param(
            "<set-query-parameter name='q' exists-action='skip'><value>1</value></set-query-parameter>",
            ["q: skipped, it exists"], id="parameter skipped",
        ),
        pytest.param("<set-method>GET</set-method>", ["changed nothing: it was so already"], id="same method"),
        pytest.param("<cache-lookup-value key='k' variable-name='v'/>", ["miss for key k"], id="cache miss"),
        pytest.param(
            "<cache-store-value key='k' value='v' duration='5'/>", ["kept under key k for 5 s"], id="cache store"
        ),
        pytest.param("<cache-remove-value key='k'/>", ["key k: nothing was kept"], id="cache remove"),
        pytest.param(
            "<rate-limit-by-key calls='3' renewal-period='60' counter-key='all'/>",
            ["counted 1 for key all: 1 of 3 calls in 60 s are used"], id="rate",
        ),
        pytest.param(
            "<quota-by-key calls='3' renewal-period='300' counter-key='all'/>",
            ["counted 1 for key all: 1 of 3 calls are used, renewed in 100 s"], id="quota",
        ),
        pytest.param("<rate-limit calls='3' renewal-period='60'/>",
                     ["counts nothing: the call has no subscription"], id="no subscription"),
        pytest.param("<ip-filter action='allow'><address>127.0.0.1</address></ip-filter>",
                     ["caller 127.0.0.1 is listed"], id="caller"),
        pytest.param("<cors><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>",
                     ["nothing to do: there is no Origin header"], id="cors"),
        pytest.param(
            "<choose><when condition='@(1 > 2)'/><when condition='@(2 > 1)'/></choose>",
            ["when 1 of 2 does not hold: @(1 > 2)", "when 2 of 2 is taken: @(2 > 1)"], id="when",
        ),
        pytest.param(
            "<choose><when condition='@(1 > 2)'/><otherwise/></choose>",
            ["when 1 of 1 does not hold: @(1 > 2)", "otherwise is taken"], id="otherwise",
        ),
        pytest.param(
            "<choose><when condition='@(1 > 2)'/></choose>",
            ["when 1 of 1 does not hold: @(1 > 2)", "nothing is taken, there is no otherwise"], id="no branch",
        ),
    ],
)  # fmt: skip
def test_policies_say_what_they_did_that_is_no_change(policy: str, notes: list[str]) -> None:
    bench = PolicyBench(document(policy), sku="Developer")

    assert list(traced(bench, url="/chat?q=1", headers={"X-A": "a"}).spans[0].notes) == notes


def test_a_refusal_of_a_limit_says_what_is_used() -> None:
    bench = PolicyBench(document("<rate-limit-by-key calls='1' renewal-period='60' counter-key='all'/>"))
    bench.get()

    call = traced(bench)

    assert (call.status, list(call.spans[0].notes)) == (
        429, ["refused: 1 of 1 calls in 60 s are used by key all; room again in 60 s"],
    )  # fmt: skip


def test_what_is_left_for_later_says_whose_it_is_and_after_which_policy() -> None:
    late = "<rate-limit-by-key calls='3' renewal-period='60' counter-key='k' increment-condition='@(true)'/>"

    assert list(traced(PolicyBench(document(late))).notes)[1:] == [
        "after forward-request: what rate-limit-by-key left to be done later:",
        "after forward-request: counted 1 for key k: 1 of 3 calls in 60 s are used",
    ]


def test_text_shows_what_was_said() -> None:
    text = as_text(traced(PolicyBench(document("<set-header name='api-key' exists-action='delete'/>"))))

    assert '│      <set-header name="api-key" exists-action="delete"/>' in text
    assert "│      api-key: already absent" in text
    assert "   no subscription key is given, and API policy needs none" in text


def test_every_note_has_a_place_for_each_of_its_values() -> None:
    said = [
        (f"{path.name}:{call.lineno}", call.args)
        for path in Path(gateway.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "note"
    ]
    texts = [(place, ast.unparse(args[0]), len(args) - 1) for place, args in said]

    assert len(texts) > 60
    assert [place for place, text, values in texts if text.count("{}") != values] == []


# the line of the policy


@pytest.mark.parametrize(
    ("policy", "source"),
    [
        pytest.param(
            "<set-variable name='v' value='{{secret}}'/>", '<set-variable name="v" value="{{secret}}"/>',
            id="as written",
        ),
        pytest.param(
            "<set-variable name='v' value='@(1 &lt;\n     2)'/>", '<set-variable name="v" value="@(1 < 2)"/>',
            id="one line",
        ),
        pytest.param(
            "<authentication-basic username='me' password='letmein-1'/>",
            '<authentication-basic username="me" password="***"/>', id="password",
        ),
        pytest.param(
            "<set-variable name='api-key' value='letmein-1'/>", '<set-variable name="api-key" value="***"/>', id="named"
        ),
        pytest.param(
            "<set-header name='X-A'><value>1</value></set-header>", '<set-header name="X-A">', id="start tag alone"
        ),
    ],
)  # fmt: skip
def test_line_of_a_policy_is_as_the_document_has_it(policy: str, source: str) -> None:
    bench = PolicyBench(document(policy), named_values={"secret": "s3cr3t-value"}, secret_names=frozenset({"secret"}))

    assert traced(bench).spans[0].source == source


# attempts


def failover(bench_options: dict[str, Any] | None = None) -> PolicyBench:
    rule = CircuitBreaker(count=1, interval=60, trip_duration=30, status_codes=((500, 599),))
    return PolicyBench(
        document(
            "<set-backend-service backend-id='models'/>",
            "<retry condition='@(context.Response.StatusCode >= 500)' count='2' interval='0'><forward-request/>"
            "</retry>",
        ),
        backends={"east": lambda _: Reply(status_code=503), "west": lambda _: Reply()},
        entities=(
            Backend(id="east", url="https://east.test", circuit_breaker=rule, query={"code": ("hunter2-hunter2",)}),
            Backend(id="west", url="https://west.test"),
            Backend(
                id="models",
                members=(PoolMember(backend_id="east", priority=1), PoolMember(backend_id="west", priority=2)),
            ),
        ),
        **(bench_options or {}),
    )


def test_each_attempt_tells_its_backend_what_came_and_how_the_breaker_stands() -> None:
    call = traced(failover(), url="/chat?x=1")

    assert [(one.backend, one.pool, one.url, one.status, one.error, one.breaker) for one in call.attempts] == [
        ("east", "models", "https://east.test/chat?x=1&code=***", 503, None, "open, for 30 s more"),
        ("west", "models", "https://west.test/chat?x=1", 200, None, None),
    ]
    (retry,) = [span for span in call.spans if span.policy == "retry"]
    assert list(retry.notes) == [
        "attempt 1: the condition holds, retry after 0 s", "attempt 2 is the last: the condition does not hold",
    ]  # fmt: skip
    assert [list(child.notes) for child in retry.children] == [
        ["pool models chose east", "circuit breaker of east opened: it gets no calls for 30 s"],
        ["pool models: east is left out, its circuit breaker is open, for 30 s more", "pool models chose west"],
    ]


def test_a_backend_that_is_not_called_is_an_attempt_too() -> None:
    rule = CircuitBreaker(count=1, interval=60, trip_duration=30, status_codes=((500, 599),))
    bench = PolicyBench(
        document("<set-backend-service backend-id='only'/>"),
        backends={"only": lambda _: Reply(status_code=503)},
        entities=(Backend(id="only", url="https://only.test", circuit_breaker=rule),),
    )
    bench.get()
    (attempt,) = traced(bench).attempts

    assert (attempt.backend, attempt.status, attempt.error, attempt.breaker) == (
        "only", None, "out of service", "open, for 30 s more",
    )  # fmt: skip


# calls of the gateway's own, and tokens


def test_calls_of_the_gateway_itself_tell_what_they_were_for() -> None:
    send = (
        "<send-request response-variable-name='r'><set-url>https://other.test/x?sig=hunter2-hunter2</set-url>"
        "</send-request>"
    )
    bench = PolicyBench(document(send), hosts={"other.test": lambda _: Reply(status_code=404)})
    (one,) = traced(bench).spans[0].calls

    assert (one.purpose, one.method, one.url, one.status, one.error) == (
        "send-request", "GET", "https://other.test/x?sig=***", 404, None,
    )  # fmt: skip


def test_keys_are_fetched_by_the_policy_that_needs_them_first() -> None:
    bench = PolicyBench(ENTRA)
    headers = {"Authorization": f"Bearer {bench.entra.token('api://right')}"}

    assert [one.purpose for one in traced(bench, headers=headers).spans[0].calls] == ["openid-config", "keys"]
    assert traced(bench, headers=headers).spans[0].calls == ()


def safety(request: Request) -> Reply:
    del request
    return Reply(json={"categoriesAnalysis": [{"category": "Hate", "severity": 2}], "blocklistsMatch": []})


def completion(_: Request) -> Reply:
    answer = {"choices": [{"message": {"content": "hello"}}], "usage": {"prompt_tokens": 30, "completion_tokens": 12}}
    return Reply(json=answer)


def test_tokens_and_the_deployment_are_told() -> None:
    limit = "<llm-token-limit counter-key='k' tokens-per-minute='100' estimate-prompt-tokens='true'/>"
    bench = PolicyBench(document(limit), backend=completion)
    call = traced(bench, "POST", json={"model": "gpt-x", "messages": [{"role": "user", "content": "hi there"}]})

    assert call.tokens is not None
    assert (call.tokens.prompt, call.tokens.completion, call.tokens.total, call.tokens.reported) == (30, 12, 42, True)
    assert call.deployment == "gpt-x"
    assert list(call.notes)[1:] == [
        "after forward-request: llm-token-limit counts 42 tokens for key k, reported",
        "after forward-request: key k has 58 of 100 tokens a minute left",
    ]


def test_the_check_of_a_stream_is_told_outside_any_policy() -> None:
    guard = (
        "<llm-content-safety backend-id='safety'><categories><category name='Hate' threshold='4'/></categories>"
        "</llm-content-safety>"
    )
    events = 'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n'
    bench = PolicyBench(
        document(outbound=guard),
        backend=lambda _: Reply(content=events, headers={"Content-Type": "text/event-stream"}),
        backends={"safety": safety}, entities=(Backend(id="safety", url="https://safety.test"),),
    )  # fmt: skip
    call = traced(bench, "POST", json={"stream": True, "messages": []})

    assert [(one.purpose, one.status) for one in call.calls] == [("content safety", 200)]
    assert "after llm-content-safety: Hate: severity 2 is below the threshold 4" in call.notes


# who failed it


SUBSCRIPTIONS = (
    Subscription(id="ann", scope="/apis", primary_key="right-key-1234", secondary_key="other-key-1234"),
    Subscription(id="bob", scope="/apis", primary_key="bobs-key-1234", secondary_key="", active=False),
    Subscription(id="cid", scope="/apis/another", primary_key="cids-key-1234", secondary_key=""),
)


@pytest.mark.parametrize(
    ("key", "note", "identity"),
    [
        ("right-key-1234", "subscription key accepted: it is that of subscription ann, no product", "subscription ann"),
        ("wrong-key-1234", "subscription key refused: no subscription has this key", "anonymous"),
        ("bobs-key-1234", "subscription key refused: it is that of subscription bob, which is not active", "anonymous"),
        (
            "cids-key-1234",
            "subscription key refused: it is that of subscription cid to API another, which does not cover API policy",
            "anonymous",
        ),
        (
            None,
            "no subscription key is given, but API policy needs one: in header api-key or query parameter key",
            "anonymous",
        ),
    ],
)
def test_the_check_of_the_subscription_key_says_why(key: str | None, note: str, identity: str) -> None:
    bench = PolicyBench(
        document(), subscriptions=SUBSCRIPTIONS,
        api={"subscription_required": True, "key_header": "api-key", "key_query": "key"},
    )  # fmt: skip
    call = traced(bench, headers={} if key is None else {"api-key": key})

    assert (call.notes[0], call.identity) == (note, identity)
    assert key is None or key not in to_json([call]).decode()


def test_a_call_that_no_operation_takes_says_so() -> None:
    operations = (Operation(name="ask", method="POST", url_template="/ask"),)
    bench = PolicyBench(document(), api={"operations": operations})

    assert list(traced(bench, url="/nope").notes) == ["no operation of API policy is GET /nope"]


# tokens


def entra(inner: str) -> str:
    return document(f"<validate-azure-ad-token tenant-id='common'>{inner}</validate-azure-ad-token>")


AUDIENCE = "<audiences><audience>api://right</audience></audiences>"
ENTRA = entra(
    f"{AUDIENCE}<required-claims><claim name='roles' match='any'><value>chat</value></claim></required-claims>"
)


def wrong(call: CallTrace) -> list[tuple[str, str | None, str | None]]:
    token = call.spans[0].token
    assert token is not None
    assert not token.accepted
    return [(one.name, one.found, one.demanded) for one in token.claims if not one.ok]


@pytest.mark.parametrize(
    ("audience", "claims", "difference"),
    [
        pytest.param("api://wrong", {"roles": ["chat"]}, [("aud", "api://wrong", "api://right")], id="audience"),
        pytest.param("api://right", {"roles": ["draw", "talk"]}, [("roles", "draw, talk", "chat")], id="role"),
        pytest.param("api://right", {}, [("roles", None, "chat")], id="no role"),
        pytest.param(
            "api://right", {"roles": ["chat"], "age": 7200},
            [("exp", "2023-11-14T21:13:20Z", "after 2023-11-14T22:13:20Z")], id="expired",
        ),
        pytest.param("api://right", {"roles": ["chat"], "ver": "3"}, [
            ("ver", "3", "1.0 or 2.0"),
        ], id="version"),
        pytest.param("api://right", {"roles": ["chat"], "exp": "soon"}, [
            ("exp", "soon", "a time"),
        ], id="no time"),
    ],
)  # fmt: skip
def test_a_refused_token_is_shown_beside_what_is_demanded(
    audience: str, claims: dict[str, Any], difference: list[tuple[str, str | None, str | None]]
) -> None:
    bench = PolicyBench(ENTRA)
    token = bench.entra.token(audience, **claims)
    call = traced(bench, headers={"Authorization": f"Bearer {token}"})

    assert (call.status, wrong(call)) == (401, difference)
    assert not any(part in to_json([call]).decode() for part in token.split("."))


def test_a_token_that_another_signed_differs_in_its_signature() -> None:
    bench = PolicyBench(ENTRA)
    token, other = (bench.entra.token("api://right", roles=["chat"], jti=one) for one in ("1", "2"))
    forged = f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"
    ((name, found, demanded),) = wrong(traced(bench, headers={"Authorization": f"Bearer {forged}"}))

    assert (name, (found or "")[:14]) == ("signature", "RS256, key ID ")
    assert demanded == "a key of https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"


def test_an_accepted_token_says_which_application_calls() -> None:
    bench = PolicyBench(ENTRA)
    call = traced(bench, headers={"Authorization": f"Bearer {bench.entra.token('api://right', roles=['chat'])}"})

    token = call.spans[0].token
    assert token is not None
    assert (call.status, token.accepted, all(one.ok for one in token.claims)) == (200, True, True)
    assert call.identity == "application 11111111-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("headers", "note"),
    [({}, "there is no token in header Authorization"),
     ({"Authorization": "Basic bWU6"}, "header Authorization does not begin with Bearer")],
    ids=["none", "another scheme"],
)  # fmt: skip
def test_a_call_without_a_token_says_where_it_was_looked_for(headers: dict[str, str], note: str) -> None:
    assert list(traced(PolicyBench(ENTRA), headers=headers).spans[0].notes) == [note]


def test_text_marks_the_difference() -> None:
    bench = PolicyBench(ENTRA)
    token = bench.entra.token("api://wrong", roles=["chat"])
    lines = as_text(traced(bench, headers={"Authorization": f"Bearer {token}"})).splitlines()

    assert [line for line in lines if "≠" in line] == ["│      ! aud: api://wrong ≠ demanded: api://right"]


# what is hidden

PERSONAL: dict[str, Any] = {
    "email": "ann@contoso.com", "preferred_username": "ann@contoso.com", "name": "Ann Example", "sub": "subject-of-ann",
    "oid": "object-of-ann-1", "nonce": "n-0S6_WzA2Mj", "favourite": "colour-of-ann",
}  # fmt: skip


def test_claims_about_a_person_and_those_that_nobody_demands_are_hidden() -> None:
    bench = PolicyBench(ENTRA)
    token = bench.entra.token("api://wrong", **PERSONAL)
    call = traced(bench, headers={"Authorization": f"Bearer {token}"})

    found = call.spans[0].token
    assert found is not None
    assert {one.name: one.found for one in found.claims if one.name in PERSONAL} == dict.fromkeys(PERSONAL, HIDDEN)
    assert not any(value in to_json([call]).decode() for value in PERSONAL.values())


def test_a_personal_claim_is_hidden_on_both_sides_where_it_is_demanded() -> None:
    demanded = "<required-claims><claim name='email'><value>boss@contoso.com</value></claim></required-claims>"
    bench = PolicyBench(entra(AUDIENCE + demanded))
    call = traced(
        bench, headers={"Authorization": f"Bearer {bench.entra.token('api://right', email='ann@contoso.com')}"}
    )
    rows = call.spans[0].token.claims  # type: ignore[union-attr]

    assert [(one.found, one.demanded, one.ok) for one in rows if one.name == "email"] == [(HIDDEN, HIDDEN, False)]
    assert call.error == "TokenClaimValueNotAllowed: Claim email value of *** is not allowed. Access denied."
    assert "@contoso.com" not in to_json([call]).decode()


def test_a_token_is_refused_alike_whether_the_call_is_followed_or_not() -> None:
    policy = document(
        "<validate-jwt header-name='Authorization'>"
        f"<issuer-signing-keys><key>{'c2VjcmV0' * 8}</key></issuer-signing-keys>"
        "<audiences><audience>@(((string)null).ToString())</audience></audiences></validate-jwt>"
    )
    token = f"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE5MDAwMDAwMDB9.{'A' * 43}"

    answers = [
        PolicyBench(policy, trace=trace).get(headers={"Authorization": f"Bearer {token}"}) for trace in (False, True)
    ]

    assert [(one.status_code, one.error and one.error.reason) for one in answers] == [
        (401, "TokenSignatureInvalid")
    ] * 2


def test_a_token_of_a_thousand_claims_is_cut() -> None:
    bench = PolicyBench(ENTRA)
    many: dict[str, Any] = {f"claim{number}": "x" for number in range(300)}
    token = bench.entra.token("api://wrong", **many)
    call = traced(bench, headers={"Authorization": f"Bearer {token}"})

    found = call.spans[0].token
    assert found is not None
    assert (len(found.claims), call.omitted > 250, found.claims[0].name) == (40, True, "signature")


def test_notes_and_calls_are_bounded() -> None:
    again = "<retry condition='@(true)' count='50' interval='0'><cache-remove-value key='k'/></retry>"
    call = traced(PolicyBench(document(again * 25)))
    spans = [child for span in call.spans for child in (span, *span.children)]

    assert len(spans) == 300
    assert sum(len(span.notes) for span in spans) <= 1000
    assert call.omitted > 900


PLACES = {
    "counter key": "<rate-limit-by-key calls='9' renewal-period='60' counter-key='@({})'/>",
    "cache key": "<cache-store-value key='@({})' value='v' duration='5'/>",
    "piece in a cache key": "<cache-remove-value key='@({}.Substring(5))'/>",
    "URL": "<send-request response-variable-name='r' ignore-error='true'>"
    '<set-url>@("https://other.test/" + {})</set-url></send-request>',
    "query": "<send-request response-variable-name='r' ignore-error='true'>"
    '<set-url>@("https://other.test/?a=" + {})</set-url></send-request>',
    "resource": "<authentication-managed-identity resource='@({})' ignore-error='true'"
    " output-token-variable-name='t'/>",
    "header name": "<set-header name='@(\"X-\" + {})' exists-action='delete'/>",
    "condition": "<choose><when condition='@({} == \"LITERAL\")'><set-method>PUT</set-method></when></choose>",
    "concurrency": "<limit-concurrency key='@({})' max-count='3'><set-method>PUT</set-method></limit-concurrency>",
}
SOURCES = {
    "header": 'context.Request.Headers.GetValueOrDefault("X-Api-Key", "---------")',
    "query": 'context.Request.Url.Query.GetValueOrDefault("sig", "---------")',
    "named value": '"{{secret}}"',
    "literal": '"LITERAL"',
}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text("abcdefXYZ0189-_~", min_size=12, max_size=40).filter(lambda text: len(set(text)) > 4))
def test_no_secret_of_the_gateway_or_the_call_appears_in_a_trace(place: str, secret: str) -> None:
    """One secret for all: a header and a parameter of the caller's, a named value, a key, a backend's credential."""
    for source in SOURCES.values():
        policy = PLACES[place].replace("{}", source).replace("LITERAL", secret)
        bench = PolicyBench(
            document(f"{policy}<set-backend-service backend-id='b'/>"),
            named_values={"secret": secret}, secret_names=frozenset({"secret"}),
            subscriptions=(Subscription(id="ann", scope="/apis", primary_key=secret, secondary_key=""),),
            hosts={"other.test": lambda _: Reply(json={"token": "t"})},
            backends={"b": lambda _: Reply(headers={"X-Echo": "a"})},
            entities=(Backend(id="b", url="https://b.test", header={"X-Odd": (secret,)}, query={"code": (secret,)}),),
        )  # fmt: skip
        call = traced(bench, url="/chat", params={"sig": secret}, headers={"X-Api-Key": secret})
        told = json.loads(to_json([call]))

        assert secret not in json.dumps(told)
        assert secret not in as_text(call)
        assert told[0]["spans"]


@settings(max_examples=20, deadline=None)
@given(
    claims=st.dictionaries(
        st.sampled_from(["email", "upn", "api_key", "x_secret", "team", "name", "ipaddr", "sub"]),
        st.text("ghijklmnopqrstu", min_size=10, max_size=30).filter(lambda text: len(set(text)) > 4),
    )
)
def test_no_claim_that_nobody_demands_and_no_part_of_a_token_appears_in_a_trace(claims: dict[str, Any]) -> None:
    bench = PolicyBench(ENTRA)
    for audience in ("api://right", "api://wrong"):
        token = bench.entra.token(audience, roles=["chat"], **claims)
        told = to_json([traced(bench, headers={"Authorization": f"Bearer {token}"})]).decode()

        assert not any(hidden in told for hidden in (*claims.values(), *token.split(".")))
