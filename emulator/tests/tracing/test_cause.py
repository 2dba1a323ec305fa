"""The one sentence that says why a call did not end well."""

from typing import Any

import pytest

from apim_emulator.testing import PolicyBench, Reply, Request
from apim_emulator.testing.values import BackendFunction
from apim_emulator.tracing.cause import Cause, cause
from emulator.tests.tracing.calls import call


def answer(_: Request) -> Reply:
    return Reply()


def found(
    inbound: str,
    *,
    backend: str = "<base/>",
    outbound: str = "",
    backend_function: BackendFunction = answer,
    **options: Any,
) -> Cause | None:
    document = (
        f"<policies>\n<inbound><base/>\n{inbound}\n</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound><on-error><base/></on-error></policies>"
    )
    trace = PolicyBench(document, backend=backend_function, **options).get().trace
    assert trace is not None
    return cause(trace)


FAILS = "<set-variable name='v' value='@((string)context.Variables[\"absent\"])'/>"


@pytest.mark.parametrize(
    ("inbound", "headline", "detail", "place"),
    [
        pytest.param(
            "<check-header name='X-Team' failed-check-httpcode='403' failed-check-error-message=''"
            " ignore-case='true'/>",
            "403 Forbidden by check-header",
            "HeaderNotFound: Header X-Team was not found in the request. Access denied.",
            ("check-header", 3), id="a policy that refuses",
        ),
        pytest.param(
            f"<choose><when condition='true'>\n{FAILS}</when></choose>",
            "500 Internal Server Error by set-variable", "ExpressionValueEvaluationFailure: KeyNotFoundException",
            ("set-variable", 4), id="an expression inside another policy",
        ),
        pytest.param(
            "<choose><when condition='true'>\n<return-response><set-status code='418'/></return-response></when>"
            "</choose>",
            "418 I'm a Teapot by return-response", None, ("return-response", 4), id="a policy that answers",
        ),
    ],
)  # fmt: skip
def test_cause_is_the_policy_that_decided(
    inbound: str, headline: str, detail: str | None, place: tuple[str, int]
) -> None:
    why = found(inbound)

    assert why is not None
    assert (why.headline, why.detail) == (headline, detail)
    assert why.span is not None
    assert (why.span.policy, why.span.line) == place


def test_status_of_a_backend_is_ascribed_to_the_backend() -> None:
    why = found("", backend="<forward-request/>", backend_function=lambda _: Reply(status_code=429))

    assert why is not None
    assert (why.headline, why.detail) == ("429 Too Many Requests by the backend", None)
    assert why.span is not None
    assert why.span.policy == "forward-request"


def test_last_policy_that_set_the_status_decided_it() -> None:
    status = "<set-status code='404' reason='Gone'/>"
    why = found("", backend="<forward-request/>", outbound=status, backend_function=lambda _: Reply(status_code=500))

    assert why is not None
    assert why.headline == "404 Not Found by set-status"


def test_what_happened_outside_any_policy_is_told_as_such() -> None:
    why = found("", api={"operations": ()})

    assert why is not None
    assert (why.headline, why.span) == ("404 Not Found outside any policy", None)
    assert why.detail == "OperationNotFound: Unable to match incoming request to an operation."


def test_refused_key_says_why() -> None:
    why = found("", api={"subscription_required": True})

    assert why is not None
    assert why.headline == "401 Unauthorized outside any policy"
    assert len(why.notes) == 1
    assert "subscription key" in why.notes[0]


def test_refused_token_says_which_claims_differ() -> None:
    bench = PolicyBench(
        "<policies><inbound><base/><validate-azure-ad-token tenant-id='common'><audiences><audience>api://gateway"
        "</audience></audiences></validate-azure-ad-token></inbound><backend><base/></backend><outbound><base/>"
        "</outbound><on-error><base/></on-error></policies>"
    )
    trace = bench.get(headers={"Authorization": f"Bearer {bench.entra.token('api://another')}"}).trace
    assert trace is not None
    why = cause(trace)

    assert why is not None
    assert why.headline == "401 Unauthorized by validate-azure-ad-token"
    assert [(one.name, one.found) for one in why.differing] == [("aud", "api://another")]
    assert "api://gateway" in (why.differing[0].demanded or "")


def test_call_that_went_well_has_none() -> None:
    assert found("") is None


def test_caller_who_went_away_is_told() -> None:
    why = cause(call(status=None))

    assert why is not None
    assert (why.headline, why.detail) == ("No response", "The caller went away before there was one.")
