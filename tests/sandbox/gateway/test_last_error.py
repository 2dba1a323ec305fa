"""What on-error learns about each kind of failure (api-management-error-handling-policies)."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from sandbox.model import Product, Subscription
from tests.sandbox.gateway.harness import Bench, header, inbound

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
