from hypothesis import strategies as st

from policies import ForwardRequest, HttpVersion
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import flag_expressions, flags, maybe, options, upto

timeouts = st.sampled_from(["timeout", "timeout_ms"]).flatmap(
    lambda name: options(
        ForwardRequest,
        **{name: maybe(upto(1, INT_MAX))},
        continue_timeout=maybe(upto(1, INT_MAX)),
        follow_redirects=maybe(flag_expressions),
        http_version=maybe(st.sampled_from(HttpVersion)),
        buffer_request_body=maybe(flags),
        buffer_response=maybe(flags),
        fail_on_error_status_code=maybe(flags),
    )
)

RECORD = Record(
    ForwardRequest,
    examples=(ForwardRequest(),),
    drawn=timeouts,
    renders={
        "forward-request needs no options": (ForwardRequest(), "<forward-request />"),
        "forward-request takes every option": (
            ForwardRequest(
                id="f",
                timeout_ms=1500,
                http_version=HttpVersion.HTTP_2_OR_1,
                buffer_request_body=True,
                buffer_response=False,
                fail_on_error_status_code=True,
            ),
            '<forward-request id="f" timeout-ms="1500" http-version="2or1" '
            'buffer-request-body="true" buffer-response="false" '
            'fail-on-error-status-code="true" />',
        ),
        "forward-request takes expressions": (
            ForwardRequest(timeout="@(context.Request.Body == null ? 10 : 100)"),
            '<forward-request timeout="@(context.Request.Body == null ? 10 : 100)" />',
        ),
        "named value": (ForwardRequest(timeout="{{timeout}}"), '<forward-request timeout="{{timeout}}" />'),
    },
    refuses=(
        (
            lambda: ForwardRequest(timeout=1, timeout_ms=1000),
            "forward-request timeout 1 with timeout_ms 1000 is not allowed; give one of them",
        ),
        *(
            (
                lambda value=value: ForwardRequest(timeout=value),
                f"forward-request timeout {value} is not allowed; use 1 to 2147483647",
            )
            for value in (0, 2**31)
        ),
    ),
)
