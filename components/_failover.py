"""What an API's policy does where one of several accounts cannot answer.

The next one is tried, and where none is left, callers learn no more than when to come back. The pool itself turns to
another account once a circuit breaker has taken one out of it ("Backends in API Management").
"""

from components._backends import TRIP_SECONDS
from policies import (
    Choose,
    ForwardRequest,
    Policy,
    Retry,
    ReturnResponse,
    SetBody,
    SetHeader,
    SetStatus,
    SetVariable,
    When,
)

_MOST_RETRIES = 2
"""Accounts tried after the first. Each failure takes its account out of the pool, so that more are needed only where
several fail within one call, and a caller waits for all of them."""

_TURNED_AWAY = "context.Response.StatusCode == 429 || context.Response.StatusCode == 503"
# Whether a connection that fails leaves no response or a 500 of the gateway's own is not documented: both are told.
_AGAIN = (
    f"@(context.Response == null || {_TURNED_AWAY} || (context.Response.StatusCode == 500"
    ' && context.LastError != null && context.LastError.Reason == "BackendConnectionFailure"))'
)
_NONE_LEFT = (
    '@(context.LastError.Section == "backend" && (context.LastError.Reason == "BackendConnectionFailure"'
    ' || context.LastError.Reason == "Timeout" || (context.Response != null && context.Response.StatusCode == 503)))'
)
_KEEP_SHORTEST_WAIT = SetVariable(
    name="openai-gateway-retry-after",
    value="@{ int seconds; if (context.Response == null"
    ' || !int.TryParse(context.Response.Headers.GetValueOrDefault("Retry-After", ""), out seconds))'
    f" {{ seconds = {TRIP_SECONDS}; }}"
    ' return Math.Min(context.Variables.GetValueOrDefault<int>("openai-gateway-retry-after", int.MaxValue),'
    " seconds); }",
)
"""Who asks for no wait in seconds is left alone for as long as its circuit breaker is open."""


def forwarding(accounts: int) -> list[Policy]:
    """Policies for `backend`: the call, and where one of several accounts turns it away, the call to the next.

    Responses are not buffered: server-sent events would otherwise reach the caller in blocks of 8 KB (Microsoft's
    "Configure API for server-sent events"). The request is, where it may have to be sent again.
    """
    if accounts < 2:
        return [ForwardRequest(buffer_response=False)]
    return [
        Retry(
            condition=_AGAIN,
            count=min(accounts - 1, _MOST_RETRIES),
            interval=0,
            first_fast_retry=True,
            policies=[ForwardRequest(buffer_request_body=True, buffer_response=False), _KEEP_SHORTEST_WAIT],
        )
    ]


def spent_after_response(accounts: int) -> list[Policy]:
    """Policies for `outbound`: the last account turned the call away as well."""
    if accounts < 2:
        return []
    return [Choose(when=[When(condition=f"@({_TURNED_AWAY})", policies=[_spent("@(context.Response.StatusCode)")])])]


def spent_without_response(accounts: int) -> list[Policy]:
    """Policies for `on-error`: no account was left to call, or the last one was not reached in time.

    What another scope's policies refuse, such as a rate limit, stays as it is: that is not the backend's section.
    """
    if accounts < 2:
        return []
    return [Choose(when=[When(condition=_NONE_LEFT, policies=[_KEEP_SHORTEST_WAIT, _spent(503)])])]


def _spent(code: int | str) -> ReturnResponse:
    """Answer in the shape of OpenAI, with nothing of the accounts': no name, region or quota."""
    return ReturnResponse(
        status=SetStatus(code=code, reason="No capacity"),
        headers=[
            SetHeader(name="Content-Type", values=["application/json"]),
            SetHeader(name="Retry-After", values=['@(context.Variables["openai-gateway-retry-after"].ToString())']),
        ],
        body=SetBody(
            value='{ "error": { "code": "NoCapacity", "message": "No account can take the call at the moment. '
            'Retry after the seconds that the header Retry-After tells." } }'
        ),
    )
