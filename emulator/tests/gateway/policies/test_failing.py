"""How every policy fails: status, reason phrase, headers and body, byte for byte, and what on-error learns."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from apim_emulator.gateway.policies import POLICIES
from apim_emulator.testing import Reply, Request
from emulator.tests.gateway.policies.elements import CHAT, PLACES, document

THROWS = '@((string)context.Variables["absent"])'
"""An expression that throws: the policies that never refuse by themselves fail with it."""
NEVER = {
    "mock-response": "it evaluates nothing, and what has no example is refused when it is loaded",
    "llm-semantic-cache-lookup": "a look-up that fails is traced, and the call goes on",
    "azure-openai-semantic-cache-lookup": "a look-up that fails is traced, and the call goes on",
    "llm-semantic-cache-store": "it comes after the response, which it never changes",
    "azure-openai-semantic-cache-store": "it comes after the response, which it never changes",
}
"""Policies that fail no call, and why."""


def refuse(_: Request) -> Reply:
    raise ConnectionRefusedError


def late(_: Request) -> Reply:
    raise TimeoutError


@dataclass(frozen=True, kw_only=True)
class Fails:
    """A call that a policy fails."""

    status: int
    message: str
    reason: str
    """`LastError.Reason`."""
    detail: str | None = None
    """`LastError.Message`, where it is not the message of the body."""
    phrase: str | None = None
    """Reason phrase, where it is not the usual one."""
    headers: dict[str, str] = field(default_factory=dict)
    internal: bool = False
    """Whether the body names the activity."""
    element: str | None = None
    """In place of the usual one."""
    section: str | None = None
    path: str | None = None
    bench: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    before: int = 0
    """Calls before it, which pass."""
    forwards: bool = False
    """Whether the backend was called all the same."""


def internal(reason: str, detail: str, **how: Any) -> Fails:
    """Make the 500 of the gateway's own errors."""
    return Fails(status=500, message="Internal server error", reason=reason, detail=detail, internal=True, **how)


def thrown(element: str, exception: str = "KeyNotFoundException", **how: Any) -> Fails:
    """Make the failure of an expression that throws."""
    detail = f"Expression evaluation failed. {exception}"
    return internal("ExpressionValueEvaluationFailure", detail, element=element, **how)


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


TOKENS = {
    "absent": Fails(status=401, message="JWT not present.", reason="TokenNotPresent"),
    "no token": Fails(status=401, message="Invalid JWT.", reason="JwtInvalid", detail="*", call=bearer("abc")),
}
DENIED = "Access denied."
LIMITED = "Token limit is exceeded. Try again in 60 seconds."
JSON = {"Content-Type": "application/json"}

FAILURES: dict[str, dict[str, Fails]] = {
    "authentication-basic": {
        "username": thrown(f"<authentication-basic id='me' username='{THROWS}' password='p'/>"),
        "password": thrown(f"<authentication-basic id='me' username='u' password='{THROWS}'/>"),
    },
    "authentication-managed-identity": {
        "no such identity": internal(
            "IdentityNotFound", "the service has no identity with this client-id",
            element='<authentication-managed-identity id="me" resource="https://a.example" client-id="x"/>',
        ),
    },
    "cache-lookup": {
        "expression": thrown(
            "<cache-lookup id='me' vary-by-developer='false' vary-by-developer-groups='false'>"
            f"<vary-by-header>{THROWS}</vary-by-header></cache-lookup>",
            call={"headers": {}},
        ),
    },
    "cache-lookup-value": {
        "expression": thrown(f"<cache-lookup-value id='me' key='{THROWS}' variable-name='v'/>"),
    },
    "cache-remove-value": {"expression": thrown(f"<cache-remove-value id='me' key='{THROWS}'/>")},
    "cache-store": {
        "expression": thrown(
            f"<cache-store id='me' duration='60' cache-response='@({THROWS[1:]} == \"\")'/>", forwards=True
        ),
        "duration": thrown("<cache-store id='me' duration='@(0)'/>", "ArgumentOutOfRangeException", forwards=True),
    },
    "cache-store-value": {
        "expression": thrown(f"<cache-store-value id='me' key='k' value='{THROWS}' duration='1'/>"),
        "duration": thrown(
            "<cache-store-value id='me' key='k' value='1' duration='@(-1)'/>", "ArgumentOutOfRangeException"
        ),
    },
    "check-header": {
        "absent": Fails(
            status=401, message=f"Header X-Team was not found in the request. {DENIED}", reason="HeaderNotFound",
            call={"headers": {}},
        ),
        "value": Fails(
            status=401, message=f"Header X-Team value of red is not allowed. {DENIED}", reason="HeaderValueNotAllowed",
            call={"headers": {"X-Team": "red"}},
        ),
        "own message": Fails(
            status=418, message="Who?", reason="HeaderNotFound",
            detail=f"Header X was not found in the request. {DENIED}",
            element='<check-header id="me" name="X" failed-check-httpcode="418" failed-check-error-message="Who?"/>',
            phrase="I'm a Teapot",
        ),
    },
    "choose": {"condition": thrown(f"<choose id='me'><when condition='@({THROWS[1:]} == \"\")'/></choose>")},
    "cors": {
        "expression": thrown(
            f"<cors id='me'><allowed-origins><origin>{THROWS}</origin></allowed-origins></cors>",
            call={"headers": {"Origin": "https://a.example"}},
        ),
    },
    "emit-metric": {
        "no number": thrown(
            "<emit-metric id='me' name='n' value='@(double.Parse(\"x\"))'><dimension name='API ID'/></emit-metric>",
            "FormatException",
        ),
    },
    "find-and-replace": {"expression": thrown(f"<find-and-replace id='me' from='{THROWS}' to='x'/>")},
    "forward-request": {
        "refused": internal(
            "BackendConnectionFailure", "no response: ConnectionRefusedError", bench={"backend": refuse}, forwards=True
        ),
        "timeout": internal("Timeout", "the backend did not answer in time", bench={"backend": late}, forwards=True),
        "error status": Fails(
            status=502, message="", reason="BackendResponseFailure", detail="*", forwards=True,
            element='<forward-request id="me" fail-on-error-status-code="true"/>',
            bench={"backend": lambda _: Reply(status_code=502)},
        ),
    },
    "ip-filter": {
        "forbidden": Fails(
            status=403, message="Forbidden", reason="CallerIpBlocked", detail=f"Caller IP address is blocked. {DENIED}",
            call={"remote": "10.0.0.9"},
        ),
        "not allowed": Fails(
            status=403, message="Forbidden", reason="CallerIpNotAllowed",
            detail=f"Caller IP address 10.0.0.1 is not allowed. {DENIED}", call={"remote": "10.0.0.1"},
            element='<ip-filter id="me" action="allow"><address-range from="10.0.1.0" to="10.0.1.9"/></ip-filter>',
        ),
    },
    "limit-concurrency": {
        "too many": Fails(
            status=429, message="Too Many Requests", reason="ConcurrencyLimitExceeded",
            element='<limit-concurrency key="k" max-count="1"><limit-concurrency id="me" key="k" max-count="1">'
            '<set-variable name="v" value="1"/></limit-concurrency></limit-concurrency>',
            path="limit-concurrency/limit-concurrency",
        ),
    },
    "llm-content-safety": {
        "found": Fails(
            status=403, message="Request failed content safety check.", reason="ContentSafetyCheckFailed",
            call={"json": {"messages": [{"role": "user", "content": "bad"}]}},
        ),
        "checker fails": Fails(
            status=403, message="Request failed content safety check.", reason="ContentSafetyCheckFailed",
            bench={"backends": {"checker": refuse}},
        ),
    },
    "log-to-eventhub": {
        "message": thrown(f"<log-to-eventhub id='me' logger-id='l'>{THROWS}</log-to-eventhub>"),
        "partition-key": thrown(f"<log-to-eventhub id='me' logger-id='l' partition-key='{THROWS}'>m</log-to-eventhub>"),
    },
    "quota": {
        "calls": Fails(
            status=403, message="Out of call volume quota. Quota will be replenished in 01:00:00.",
            reason="QuotaExceeded", headers={"Retry-After": "3600"}, before=1,
        ),
    },
    "quota-by-key": {
        "calls": Fails(
            status=403, message="Out of call volume quota. Quota will be replenished in 00:46:40.",
            reason="QuotaExceeded", headers={"Retry-After": "2800"}, before=1,
        ),
    },
    "rate-limit": {
        "calls": Fails(
            status=429, message="Rate limit is exceeded. Try again in 60 seconds.", reason="RateLimitExceeded",
            detail="Rate limit is exceeded", headers={"Retry-After": "60"}, before=1,
        ),
    },
    "rate-limit-by-key": {
        "calls": Fails(
            status=429, message="Rate limit is exceeded. Try again in 60 seconds.", reason="RateLimitExceeded",
            detail="Rate limit is exceeded", headers={"Retry-After": "60"}, before=1,
        ),
    },
    "retry": {
        "backend fails to the end": internal(
            "BackendConnectionFailure", "no response: ConnectionRefusedError", forwards=True,
            element='<retry id="other" condition="true" count="2" interval="1"><forward-request id="me"/></retry>',
            bench={"backend": refuse}, path="retry/forward-request",
        ),
        "condition": thrown(f"<retry id='me' condition='@({THROWS[1:]} == \"\")' count='1' interval='0'>"
                            "<forward-request/></retry>", forwards=True),
    },
    "return-response": {
        "no response": thrown('<return-response id="me" response-variable-name="absent"/>'),
    },
    "rewrite-uri": {"expression": thrown(f"<rewrite-uri id='me' template='{THROWS}'/>")},
    "send-one-way-request": {
        "URL": thrown(f"<send-one-way-request id='me'><set-url>{THROWS}</set-url></send-one-way-request>"),
        "no URL": internal(
            "BackendConnectionFailure", "there is no URL to send the request to",
            element="<send-one-way-request id='me' mode='@(\"new\")'/>",
        ),
        "mode": thrown("<send-one-way-request id='me' mode='@(\"old\")'/>", "ArgumentException"),
    },
    "send-request": {
        "refused": internal(
            "BackendConnectionFailure", "no response: ConnectionRefusedError",
            bench={"hosts": {"audit.test": refuse}},
        ),
        "timeout": internal(
            "Timeout", "the service did not answer in time", bench={"hosts": {"audit.test": late}},
        ),
        "unknown host": internal(
            "BackendConnectionFailure", "host audit.test is not served by the sandbox", bench={"hosts": {}}
        ),
        "error status": internal(
            "BackendResponseFailure", "the service answered 503",
            element='<send-request id="me" fail-on-error-status-code="true"><set-url>https://audit.test/</set-url>'
            "</send-request>",
            bench={"hosts": {"audit.test": lambda _: Reply(status_code=503)}},
        ),
    },
    "set-backend-service": {
        "no such backend": internal(
            "BackendNotFound", "the expression's backend-id names no backend",
            element="<set-backend-service id='me' backend-id='@(\"no\" + \"where\")'/>",
        ),
        "no URL": internal(
            "BackendConnectionFailure", "base-url is not an http or https URL without query and user",
            element="<set-backend-service id='me' base-url='@(\"ftp://a.example\")'/>",
        ),
    },
    "set-body": {
        "expression": thrown(f"<set-body id='me'>{THROWS}</set-body>"),
        "template": thrown(
            '<set-variable name="v" value="@(1.5)"/>'
            '<set-body id="me" template="liquid">{{context.Variables["v"]}}</set-body>',
            "NotSupportedException",
        ),
    },
    "set-header": {
        "expression": thrown(f"<set-header id='me' name='X-A'><value>{THROWS}</value></set-header>"),
        "line break": thrown('<set-header id="me" name="X-A"><value>@("a\\r\\nb: c")</value></set-header>', "*"),
    },
    "set-method": {"expression": thrown(f"<set-method id='me'>{THROWS}</set-method>")},
    "set-query-parameter": {
        "expression": thrown(f"<set-query-parameter id='me' name='q'><value>{THROWS}</value></set-query-parameter>"),
    },
    "set-status": {
        "code": thrown("<set-status id='me' code='@(99)'/>", "ArgumentOutOfRangeException", forwards=True),
    },
    "set-variable": {"expression": thrown(f"<set-variable id='me' name='v' value='{THROWS}'/>")},
    "trace": {
        "expression": thrown(f"<trace id='me' source='s'><message>{THROWS}</message></trace>"),
        "expression as text": thrown(f"<trace id='me' source='s'>{THROWS}</trace>"),
    },
    "validate-azure-ad-token": TOKENS,
    "validate-content": {
        "schema": Fails(
            status=400, message="*", reason="Bad request", call={"json": {}, "headers": JSON},
        ),
        "too large": Fails(
            status=400, message="*", reason="Bad request", call={"json": {"messages": "x" * 2000}, "headers": JSON},
        ),
    },
    "validate-headers": {
        "specified": Fails(
            status=502, message="The request could not be processed due to an internal error. Contact the API owner.",
            reason="Response not allowed", detail="*", forwards=True,
            bench={"backend": lambda _: Reply(headers={"X-Count": "many"})},
        ),
    },
    "validate-jwt": TOKENS,
    "validate-parameters": {
        "specified": Fails(status=400, message="*", reason="Bad request", call={"params": {"n": "many"}}),
    },
    "validate-status-code": {
        "unspecified": Fails(
            status=502, message="The request could not be processed due to an internal error. Contact the API owner.",
            reason="Response not allowed", detail="Response status code 404 is not allowed.", forwards=True,
            bench={"backend": lambda _: Reply(status_code=404)},
        ),
    },
    "wait": {
        "inside": internal(
            "BackendConnectionFailure", "no response: ConnectionRefusedError", bench={"hosts": {"audit.test": refuse}},
            element='<wait for="all"><send-request id="me"><set-url>https://audit.test/</set-url></send-request></wait>',
            path="wait/send-request",
        ),
    },
}  # fmt: skip
for _name in ("llm-token-limit", "azure-openai-token-limit"):
    FAILURES[_name] = {
        "rate": Fails(
            status=429, message=LIMITED, reason="OpenAITokenLimitExceeded", headers={"Retry-After": "60"}, before=1
        ),
        "quota": Fails(
            status=403, message="Token quota is exceeded. Try again in 46 minutes and 40 seconds.",
            reason="OpenAITokenQuotaExceeded", headers={"Retry-After": "2800"}, before=1,
            element=f'<{_name} id="me" counter-key="k" token-quota="10" token-quota-period="Hourly" '
            'estimate-prompt-tokens="false"/>',
        ),
    }  # fmt: skip
for _name in ("llm-emit-token-metric", "azure-openai-emit-token-metric"):
    FAILURES[_name] = {
        "expression": thrown(f"<{_name} id='me'><dimension name='d' value='{THROWS}'/></{_name}>", forwards=False)
    }

SEEN_BY_ON_ERROR = "".join(
    f'<set-header name="X-{name}"><value>@(context.LastError.{name} ?? "")</value></set-header>'
    for name in ("Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId")
)
CASES = [
    pytest.param(name, case, id=f"{name}: {what}") for name in sorted(FAILURES) for what, case in FAILURES[name].items()
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_failure_is_answered_and_told_to_on_error(name: str, case: Fails) -> None:
    usual = PLACES[name]
    place = usual if case.element is None else replace(usual, element=case.element)
    text = document(place.element, place.section, place.before, place.after)
    bench = place.ready(**case.bench)
    if place.scope == "api":
        bench.load(text.replace("<on-error><base/>", f"<on-error><base/>{SEEN_BY_ON_ERROR}"))
    call: dict[str, Any] = {"json": CHAT, **place.call, **case.call}
    for _ in range(case.before):
        assert bench.post("/chat", **call).status_code == 200

    response = bench.post("/chat", **call)

    assert response.status_code == case.status
    assert response.reason == (case.phrase or PHRASES[case.status])
    body = response.text
    if case.reason != "BackendResponseFailure" or case.internal:
        assert response.headers["Content-Type"] == "application/json"
        activity = ', "activityId": "[0-9a-f-]{36}"' if case.internal else ""
        message = ".+" if case.message == "*" else re.escape(case.message)
        assert re.fullmatch(rf'\{{ "statusCode": {case.status}, "message": "{message}"{activity} \}}', body), body
    assert {name: response.headers.get(name) for name in case.headers} == case.headers
    assert bool([one for one in response.requests if one.backend == "backend"]) == case.forwards
    error = response.error
    assert error is not None
    detail = case.message if case.detail is None else case.detail
    assert error.reason == case.reason
    assert "*" in detail or error.message == detail
    assert (error.source, error.scope, error.section) == (
        (case.path or name).split("/")[-1],
        place.scope,
        place.section,
    )
    assert (error.path, error.policy_id) == (case.path or name, "me")
    if place.scope == "api":
        seen = [error.source, error.reason, error.message, error.scope, error.section, error.path, error.policy_id]
        names = ("Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId")
        assert [response.headers[f"X-{name}"] for name in names] == seen


PHRASES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NEVER))
def test_policy_that_fails_no_call_lets_it_through(name: str) -> None:
    response = PLACES[name].ready(backends={"embeddings": refuse}).post("/chat", json=CHAT)

    assert (response.status_code, response.error) == (200, None)


def test_every_policy_is_here_once() -> None:
    assert sorted([*FAILURES, *NEVER]) == sorted(POLICIES)
