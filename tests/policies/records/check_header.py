from hypothesis import strategies as st

from policies import CheckHeader
from tests.policies.record import Record
from tests.policies.values import codes, expressions, flag_expressions, maybe, options, texts, tokens

RECORD = Record(
    CheckHeader,
    examples=(CheckHeader(name="a"),),
    drawn=options(
        CheckHeader,
        name=tokens | expressions,
        failed_check_httpcode=codes,
        failed_check_error_message=maybe(texts),
        ignore_case=maybe(flag_expressions),
        values=st.lists(texts, max_size=3),
    ),
    renders={
        "check-header takes every option": (
            CheckHeader(
                id="h",
                name="X-Azure-FDID",
                values=["{{front-door-id}}", "b"],
                failed_check_httpcode=403,
                failed_check_error_message='Not "through" Front Door',
                ignore_case=True,
            ),
            """
        <check-header id="h" name="X-Azure-FDID" failed-check-httpcode="403" \
failed-check-error-message="Not &quot;through&quot; Front Door" ignore-case="true">
            <value>{{front-door-id}}</value>
            <value>b</value>
        </check-header>
        """,
        ),
        "check-header demands that a header is there": (
            CheckHeader(name="X-Here"),
            '<check-header name="X-Here" failed-check-httpcode="401" ignore-case="false" />',
        ),
    },
    refuses=(
        *(
            (
                lambda code=code: CheckHeader(name="a", failed_check_httpcode=code),
                f"check-header failed_check_httpcode {code} is not an error status code; use 400 to 599",
            )
            for code in (200, 399, 600)
        ),
        (
            lambda: CheckHeader(name="a b"),
            "check-header name 'a b' is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
        ),
    ),
)
