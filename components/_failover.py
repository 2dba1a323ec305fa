"""What an API's policy does if one of several accounts cannot take a call.

The call is retried on another account; if none is left, callers learn only when to retry. The pool itself chooses
another account once a circuit breaker has opened ("Backends in API Management").
"""

from components._answers import json_answer
from components._requests import has_one_account
from components._traffic import DEFAULT, Traffic
from policies import (
    Choose,
    ForwardRequest,
    Policy,
    Retry,
    ReturnResponse,
    SetHeader,
    SetVariable,
    When,
)

_REJECTED = "context.Response.StatusCode == 429 || context.Response.StatusCode == 503"
# It is not documented whether a failed connection leaves no response or a 500 from the gateway; this covers both.
_FAILED = (
    f"context.Response == null || {_REJECTED} || (context.Response.StatusCode == 500"
    ' && context.LastError != null && context.LastError.Reason == "BackendConnectionFailure")'
)
_RETRYABLE = f"@({_FAILED})"
_NONE_LEFT = (
    '@(context.LastError.Section == "backend" && (context.LastError.Reason == "BackendConnectionFailure"'
    ' || context.LastError.Reason == "Timeout" || (context.Response != null && context.Response.StatusCode == 503)))'
)


def forwarding(accounts: int, traffic: Traffic = DEFAULT) -> list[Policy]:
    """Return the policies for `backend`: forward the call, and retry it on another account if one rejects it.

    Responses are not buffered, since server-sent events would otherwise reach the caller in blocks of 8 KB ("Configure
    API for server-sent events"). The request is buffered if it may have to be sent again.
    """
    if accounts < 2:
        return [ForwardRequest(timeout=traffic.timeout, buffer_response=False)]
    retries = traffic.retries(accounts)
    attempt: list[Policy] = [
        ForwardRequest(timeout=traffic.timeout, buffer_request_body=True if retries else None, buffer_response=False),
        _keep_shortest_wait(traffic),
    ]
    if not retries:
        # The section holds one policy ("Policies in Azure API Management").
        return [Choose(when=[When(condition="@(true)", policies=attempt)])]
    alone = has_one_account(traffic)
    return [
        Retry(
            condition=f"@(!{alone} && ({_FAILED}))" if alone else _RETRYABLE,
            count=retries,
            interval=traffic.retry.interval,
            first_fast_retry=True,
            policies=attempt,
        )
    ]


def no_capacity_after_response(accounts: int) -> list[Policy]:
    """Return the policies for `outbound`, for the case that the last account rejected the call too."""
    if accounts < 2:
        return []
    answer = _no_capacity("@(context.Response.StatusCode)")
    return [Choose(when=[When(condition=f"@({_REJECTED})", policies=[answer])])]


def no_capacity_without_response(accounts: int, traffic: Traffic = DEFAULT) -> list[Policy]:
    """Return the policies for `on-error`, for the case that no account was left or the last one did not answer.

    Errors outside the `backend` section, such as a rate limit of another scope, are not affected.
    """
    if accounts < 2:
        return []
    return [Choose(when=[When(condition=_NONE_LEFT, policies=[_keep_shortest_wait(traffic), _no_capacity(503)])])]


def _keep_shortest_wait(traffic: Traffic) -> SetVariable:
    """Keep the shortest wait; for an account that names no seconds, that is the time for which its breaker is open."""
    return SetVariable(
        name="openai-gateway-retry-after",
        value="@{ int seconds; if (context.Response == null"
        ' || !int.TryParse(context.Response.Headers.GetValueOrDefault("Retry-After", ""), out seconds))'
        f" {{ seconds = {traffic.trip_seconds}; }}"
        ' return Math.Min(context.Variables.GetValueOrDefault<int>("openai-gateway-retry-after", int.MaxValue),'
        " seconds); }",
    )


def _no_capacity(code: int | str) -> ReturnResponse:
    """Return an error in OpenAI's format that reveals nothing about the accounts: no name, region or quota."""
    return json_answer(
        code,
        "No capacity",
        '{ "error": { "code": "NoCapacity", "message": "No account can take the call at the moment. '
        'Retry after the number of seconds in the Retry-After header." } }',
        SetHeader(name="Retry-After", values=['@(context.Variables["openai-gateway-retry-after"].ToString())']),
    )
