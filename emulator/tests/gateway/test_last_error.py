"""What on-error learns about each kind of failure (api-management-error-handling-policies)."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway.context.objects import LastError
from apim_emulator.model import Backend, CircuitBreaker, Product, Subscription
from apim_emulator.testing import PolicyBench, Reply, TokenIssuer
from emulator.tests.gateway.harness import NOW, Bench, header, inbound

FIELDS = ("Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId")
TELL = "".join(header(f"X-{name}", f"@(context.LastError.{name})") for name in FIELDS) + header(
    "X-Status", "@(context.Response.StatusCode.ToString())"
)
CHECK = "<check-header id='team' name='X-Team' failed-check-httpcode='403'>{}</check-header>"
BOOM = header("X-Boom", '@((string)context.Variables["absent"])')
KEY = {"subscription_required": True}


def told(response: Any) -> dict[str, str]:
    """Give what on-error saw, without what is empty."""
    seen = {name: response.headers[f"X-{name}"] for name in FIELDS}
    return {name: value for name, value in seen.items() if value}


CASES: dict[str, tuple[dict[str, Any], dict[str, str], int, dict[str, str]]] = {
    "no operation": (
        {"path": "/api/unknown"}, {}, 404,
        {"Source": "configuration", "Reason": "OperationNotFound",
         "Message": "Unable to match incoming request to an operation."},
    ),
    "no key": (
        {"api": KEY}, {}, 401,
        {"Source": "authorization", "Reason": "SubscriptionKeyNotFound",
         "Message": "Access denied due to missing subscription key. Make sure to include subscription key when making "
                    "requests to an API."},
    ),
    "wrong key": (
        {"api": KEY}, {"Ocp-Apim-Subscription-Key": "wrong"}, 401,
        {"Source": "authorization", "Reason": "SubscriptionKeyInvalid",
         "Message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active "
                    "subscription."},
    ),
    "check-header, absent": (
        {"inbound": CHECK.format("")}, {}, 403,
        {"Source": "check-header", "Reason": "HeaderNotFound",
         "Message": "Header X-Team was not found in the request. Access denied.",
         "Scope": "api", "Section": "inbound", "Path": "check-header", "PolicyId": "team"},
    ),
    "check-header, wrong": (
        {"inbound": CHECK.format("<value>a</value>")}, {"X-Team": "b"}, 403,
        {"Source": "check-header", "Reason": "HeaderValueNotAllowed",
         "Message": "Header X-Team value of b is not allowed. Access denied.",
         "Scope": "api", "Section": "inbound", "Path": "check-header", "PolicyId": "team"},
    ),
    "ip-filter": (
        {"inbound": "<ip-filter action='forbid'><address>127.0.0.1</address></ip-filter>"}, {}, 403,
        {"Source": "ip-filter", "Reason": "CallerIpBlocked", "Message": "Caller IP address is blocked. Access denied.",
         "Scope": "api", "Section": "inbound", "Path": "ip-filter"},
    ),
    "expression, nested": (
        {"inbound": f"<choose><when condition='false'/><when condition='true'>{BOOM}</when></choose>"}, {}, 500,
        {"Source": "set-header", "Reason": "ExpressionValueEvaluationFailure",
         "Message": "Expression evaluation failed. KeyNotFoundException",
         "Scope": "api", "Section": "inbound", "Path": "choose/when[2]/set-header"},
    ),
    "expression of the global scope": (
        {"policy": f"<policies><inbound>{BOOM}</inbound></policies>"}, {}, 500,
        {"Source": "set-header", "Reason": "ExpressionValueEvaluationFailure",
         "Message": "Expression evaluation failed. KeyNotFoundException",
         "Scope": "global", "Section": "inbound", "Path": "set-header"},
    ),
    "expression of outbound": (
        {"outbound": BOOM + BOOM}, {}, 500,
        {"Source": "set-header", "Reason": "ExpressionValueEvaluationFailure",
         "Message": "Expression evaluation failed. KeyNotFoundException",
         "Scope": "api", "Section": "outbound", "Path": "set-header[1]"},
    ),
    "connection": (
        {"api": {"service_url": "http://127.0.0.1:1"}}, {}, 500,
        {"Source": "forward-request", "Reason": "BackendConnectionFailure",
         "Message": "no response: ClientConnectorError",
         "Scope": "global", "Section": "backend", "Path": "forward-request"},
    ),
    "timeout": (
        {"backend": "<forward-request timeout-ms='20'/>"}, {}, 500,
        {"Source": "forward-request", "Reason": "Timeout", "Message": "the backend did not answer in time",
         "Scope": "api", "Section": "backend", "Path": "forward-request"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("setting", "headers", "status", "expected"), CASES.values(), ids=CASES.keys())
async def test_on_error_learns_what_failed_and_where(
    gateway_bench: Bench, setting: dict[str, Any], headers: dict[str, str], status: int, expected: dict[str, str]
) -> None:
    options = dict(setting)
    path = options.pop("path", "/api/models")
    before = options.pop("inbound", "")
    sections = {name: options.pop(name) for name in ("backend", "outbound") if name in options}
    gateway_bench.load(inbound(before, on_error=TELL, **sections), **options)

    async def slow(_request: web.Request) -> web.StreamResponse:
        if "backend" in sections:
            await asyncio.Event().wait()
        return web.Response()

    gateway_bench.backend.answer = slow
    response = await gateway_bench.call(path, headers=headers)

    assert response.status == status
    assert response.headers["X-Status"] == str(status)
    assert told(response) == expected


async def test_product_scope_is_told_and_its_on_error_runs(gateway_bench: Bench) -> None:
    product = Product(
        id="gold", api_ids=frozenset({"api"}), policy=inbound(CHECK.format(""), on_error=TELL + "<base/>")
    )
    gateway_bench.load(
        api=KEY,
        products=(product,),
        subscriptions=(Subscription(id="s", scope="/products/gold", primary_key="key", secondary_key=""),),
        policy=f"<policies><on-error>{header('X-Global', '1')}</on-error></policies>",
    )

    response = await gateway_bench.call(headers={"Ocp-Apim-Subscription-Key": "key"})

    assert (response.headers["X-Scope"], response.headers["X-Global"]) == ("product", "1")


async def test_on_error_may_change_everything(gateway_bench: Bench) -> None:
    change = (
        "<set-status code='418' reason='Teapot'/><set-body>@(context.LastError.Reason)</set-body>"
        "<set-header name='Content-Type' exists-action='override'><value>text/plain</value></set-header>"
    )
    gateway_bench.load(inbound(CHECK.format(""), on_error=change))

    response = await gateway_bench.call()

    assert (response.status, response.reason, await response.text()) == (418, "Teapot", "HeaderNotFound")
    assert response.headers.getall("Content-Type") == ["text/plain"]


# What each policy that refuses tells, all in one place: reason and message of the reference's table where it has them.

AUDIENCE = "<audiences><audience>api://audience</audience></audiences>"
ISSUERS = "<issuers><issuer>https://idp.test</issuer></issuers>"
ROLES = "<claim name='roles'><value>a</value></claim>"
CLAIMS = f"<required-claims>{ROLES}<claim name='scp'/><claim name='team'/></required-claims>"
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
TOKENS = "llm-token-limit id='p' counter-key='k' estimate-prompt-tokens='false'"


def jwt(**changes: Any) -> Callable[[TokenIssuer], str]:
    """Make a token with these claims; `age` makes it older."""

    def make(issuer: TokenIssuer) -> str:
        age = changes.get("age", 0)
        claims = {"roles": "a", "scp": "x", "team": "y"} | {k: v for k, v in changes.items() if k not in {"age", "aud"}}
        return issuer.issue(audience=changes.get("aud", "api://audience"), subject="s", age=age, claims=claims)

    return make


def of_somebody_else(issuer: TokenIssuer) -> str:
    head, payload, _ = jwt()(issuer).split(".")
    return f"{head}.{payload}.{jwt(sub='other')(issuer).split('.')[2]}"


def of_unknown_key(issuer: TokenIssuer) -> str:
    del issuer
    return TokenIssuer("https://other.test", Clock(NOW)).issue(audience="api://audience", subject="s", claims={})


TOKEN_CASES: list[tuple[Callable[[TokenIssuer], str] | None, str, str]] = [
    (None, "TokenNotPresent", "JWT not present."),
    (of_somebody_else, "TokenSignatureInvalid", "JWT signature is not valid. Access denied."),
    (of_unknown_key, "TokenSignatureKeyNotFound", "No key matches the JWT's key ID. Access denied."),
    (jwt(aud="api://other"), "TokenAudienceNotAllowed", "JWT audience is not allowed. Access denied."),
    (jwt(iss="https://evil.test"), "TokenIssuerNotAllowed", "JWT issuer is not allowed. Access denied."),
    (jwt(age=7200), "TokenExpired", "JWT has expired. Access denied."),
    (jwt(nbf=NOW + 60), "JwtInvalid", "JWT is not valid yet. Access denied."),
    (jwt(exp=None), "JwtInvalid", "JWT has no expiration time. Access denied."),
    (jwt(scp=None, team=None), "TokenClaimNotFound",
     "JWT token is missing the following claims: scp, team. Access denied."),
    (jwt(roles=["b", "c"]), "TokenClaimValueNotAllowed", "Claim roles value of b,c is not allowed. Access denied."),
    (lambda _: "x", "JwtInvalid", "JWT is not valid: not three base64url parts, or too long."),
]  # fmt: skip


@pytest.mark.parametrize(("token", "reason", "message"), TOKEN_CASES, ids=[reason for _, reason, _ in TOKEN_CASES])
def test_validate_jwt_tells_why(token: Callable[[TokenIssuer], str] | None, reason: str, message: str) -> None:
    config = "<openid-config url='https://idp.test/.well-known/openid-configuration'/>"
    policy = f"<validate-jwt id='p' header-name='Authorization'>{config}{AUDIENCE}{ISSUERS}{CLAIMS}</validate-jwt>"
    bench = PolicyBench(inbound(policy))
    issuer = bench.issuer("https://idp.test")
    assert bench.get(headers={"Authorization": f"Bearer {jwt()(issuer)}"}).status_code == 200

    response = bench.get(headers={} if token is None else {"Authorization": f"Bearer {token(issuer)}"})

    assert response.error == LastError("validate-jwt", reason, message, "api", "inbound", "validate-jwt", "p")
    told_caller = "JWT not present." if reason == "TokenNotPresent" else "Invalid JWT."
    assert response.content == f'{{ "statusCode": 401, "message": "{told_caller}" }}'.encode()


LIMIT_CASES = [
    ("<rate-limit-by-key id='p' calls='1' renewal-period='60' counter-key='k'/>", 429, "RateLimitExceeded",
     "Rate limit is exceeded", "Rate limit is exceeded. Try again in 60 seconds."),
    ("<quota-by-key id='p' calls='1' renewal-period='3600' counter-key='k'/>", 403, "QuotaExceeded",
     "Out of call volume quota. Quota will be replenished in 00:46:40.", None),
    ("<quota-by-key id='p' bandwidth='1' renewal-period='3600' counter-key='k'/>", 403, "QuotaExceeded",
     "Out of bandwidth quota. Quota will be replenished in 00:46:40.", None),
    (f"<{TOKENS} tokens-per-minute='10'/>", 429, "OpenAITokenLimitExceeded",
     "Token limit is exceeded. Try again in 60 seconds.", None),
    (f"<{TOKENS} token-quota='10' token-quota-period='Hourly'/>", 403, "OpenAITokenQuotaExceeded",
     "Token quota is exceeded. Try again in 46 minutes and 40 seconds.", None),
    ("<ip-filter id='p' action='allow'><address>10.0.0.1</address></ip-filter>", 403, "CallerIpNotAllowed",
     "Caller IP address 127.0.0.1 is not allowed. Access denied.", "Forbidden"),
    ("<ip-filter id='p' action='forbid'><address>127.0.0.1</address></ip-filter>", 403, "CallerIpBlocked",
     "Caller IP address is blocked. Access denied.", "Forbidden"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "status", "reason", "message", "told"), LIMIT_CASES)
def test_limits_and_filters_tell_why(policy: str, status: int, reason: str, message: str, told: str | None) -> None:
    usage = {"usage": {"prompt_tokens": 20, "completion_tokens": 1}, "padding": "x" * 2000}
    bench = PolicyBench(inbound(policy), sku="Developer", backend=lambda _: Reply(json=usage))
    bench.post("/x", json=CHAT)

    response = bench.post("/x", json=CHAT)

    name = policy[1:].split(" ", maxsplit=1)[0]
    assert response.error == LastError(name, reason, message, "api", "inbound", name, "p")
    assert response.content == f'{{ "statusCode": {status}, "message": "{told or message}" }}'.encode()
    assert response.headers["Content-Type"] == "application/json"


def test_tripped_backend_tells_why() -> None:
    rule = CircuitBreaker(count=1, interval=60, trip_duration=60, status_codes=((500, 599),), error_reasons=())
    bench = PolicyBench(
        inbound("<set-backend-service backend-id='b'/>"),
        backends={"b": lambda _: Reply(status_code=500)},
        entities=(Backend(id="b", circuit_breaker=rule),),
    )
    bench.get()

    response = bench.get()

    assert response.status_code == 503
    assert response.error is not None
    assert (response.error.source, response.error.reason) == ("forward-request", "BackendUnavailable")


def test_internal_error_is_byte_for_byte_that_of_the_service() -> None:
    response = PolicyBench(inbound(BOOM)).get()

    activity = rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    form = rb'\{ "statusCode": 500, "message": "Internal server error", "activityId": "%s" \}' % activity
    assert re.fullmatch(form, response.content)
    assert response.headers["Content-Type"] == "application/json"
