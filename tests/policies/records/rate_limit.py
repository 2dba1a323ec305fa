from hypothesis import strategies as st

from policies import RateLimit, RateLimitApi, RateLimitOperation
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_limits
from tests.policies.record import Record
from tests.policies.values import Strategies, any_type, names, options, scoped

rate: Strategies = {"calls": st.integers(1, INT_MAX), "renewal_period": st.integers(1, 300)}

RECORD = Record(
    RateLimit,
    examples=(
        RateLimit(calls=1, renewal_period=1),
        RateLimitApi(id="a", calls=1, renewal_period=1),
        RateLimitOperation(id="a", calls=1, renewal_period=1),
    ),
    drawn=options(
        RateLimit,
        **rate,
        **names(RateLimit),
        apis=st.lists(
            scoped(RateLimitApi, **rate, operations=st.lists(scoped(RateLimitOperation, **rate), max_size=2)),
            max_size=2,
        ),
    ),
    renders={
        "rate-limit counts calls of a subscription": (
            RateLimit(calls=20, renewal_period=90, remaining_calls_variable_name="left"),
            '<rate-limit remaining-calls-variable-name="left" calls="20" renewal-period="90" />',
        ),
        "rate-limit takes every option": (
            RateLimit(
                id="r",
                calls=100,
                renewal_period=300,
                retry_after_header_name="x-wait",
                retry_after_variable_name="wait",
                remaining_calls_header_name="x-left",
                remaining_calls_variable_name="left",
                total_calls_header_name="x-total",
                apis=[
                    RateLimitApi(
                        name="Echo",
                        calls=50,
                        renewal_period=60,
                        operations=[RateLimitOperation(id="get", name="Get", calls=5, renewal_period=1)],
                    ),
                    RateLimitApi(id="other", calls=1, renewal_period=1),
                ],
            ),
            """
        <rate-limit id="r" retry-after-header-name="x-wait" retry-after-variable-name="wait" \
remaining-calls-header-name="x-left" remaining-calls-variable-name="left" total-calls-header-name="x-total" \
calls="100" renewal-period="300">
            <api name="Echo" calls="50" renewal-period="60">
                <operation id="get" name="Get" calls="5" renewal-period="1" />
            </api>
            <api id="other" calls="1" renewal-period="1" />
        </rate-limit>
        """,
        ),
    },
    refuses=(
        (lambda: RateLimit(calls=0, renewal_period=1), "rate-limit calls 0 is not allowed; use 1 to 2147483647"),
        (
            lambda: RateLimit(calls=2**31, renewal_period=1),
            "rate-limit calls 2147483648 is not allowed; use 1 to 2147483647",
        ),
        *(
            (
                lambda period=period: RateLimit(calls=1, renewal_period=period),
                f"rate-limit renewal_period {period} is not allowed; use 1 to 300 seconds",
            )
            for period in (0, 301)
        ),
        (
            lambda: RateLimit(calls=any_type("@(1)"), renewal_period=1),
            "rate-limit calls '@(1)' is not allowed; use a whole number",
        ),
        (
            lambda: RateLimit(calls=1, renewal_period=1, retry_after_header_name="@(context.Api.Name)"),
            "rate-limit retry_after_header_name '@(context.Api.Name)' is a policy expression, "
            "which is not allowed here; give the value itself",
        ),
        (
            lambda: RateLimit(calls=1, renewal_period=1, total_calls_header_name="a b"),
            "rate-limit total_calls_header_name 'a b' is not a header name; "
            "use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
        ),
        (
            lambda: RateLimit(calls=1, renewal_period=1, retry_after_variable_name=""),
            "rate-limit retry_after_variable_name '' is empty; give it a value",
        ),
        (
            lambda: RateLimitApi(calls=1, renewal_period=1),
            "rate limit api has neither id nor name; give one of them",
        ),
        (
            lambda: RateLimitApi(name="a", calls=1, renewal_period=301),
            "rate limit api renewal_period 301 is not allowed; use 1 to 300 seconds",
        ),
        (
            lambda: RateLimitOperation(id="@(context.Operation.Id)", calls=1, renewal_period=1),
            "rate limit operation id '@(context.Operation.Id)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
        (
            lambda: RateLimitOperation(name="a", calls=0, renewal_period=1),
            "rate limit operation calls 0 is not allowed; use 1 to 2147483647",
        ),
    ),
    children=read_limits(RateLimitApi, RateLimitOperation),
)
