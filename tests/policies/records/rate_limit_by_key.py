from policies import RateLimitByKey
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import counted, flags, maybe, names, options, upto

RECORD = Record(
    RateLimitByKey,
    examples=(RateLimitByKey(calls=1, renewal_period=1, counter_key="a"),),
    drawn=options(
        RateLimitByKey,
        **names(RateLimitByKey),
        **counted,
        calls=upto(1, INT_MAX),
        renewal_period=upto(1, 300),
        increment_after_response=maybe(flags),
    ),
    renders={
        "rate-limit-by-key takes every option": (
            RateLimitByKey(
                calls="@(context.Product.Name == null ? 1 : 10)",
                renewal_period="{{period}}",
                counter_key="@(context.Request.IpAddress)",
                increment_condition="@(context.Response.StatusCode == 200)",
                increment_count=2,
                increment_after_response=True,
                retry_after_header_name="x-wait",
            ),
            '<rate-limit-by-key retry-after-header-name="x-wait" calls="@(context.Product.Name == null ? 1 : 10)" '
            'renewal-period="{{period}}" counter-key="@(context.Request.IpAddress)" '
            'increment-condition="@(context.Response.StatusCode == 200)" increment-count="2" '
            'increment-after-response="true" />',
        ),
    },
    refuses=(
        (
            lambda: RateLimitByKey(calls=1, renewal_period=600, counter_key="k"),
            "rate-limit-by-key renewal_period 600 is not allowed; use 1 to 300 seconds",
        ),
        (
            lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key=" "),
            "rate-limit-by-key counter_key ' ' is empty; give it a value",
        ),
        (
            lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key="k", increment_count=-1),
            "rate-limit-by-key increment_count -1 is not allowed; use 0 to 2147483647",
        ),
        (
            lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key="k", increment_condition="always"),
            "rate-limit-by-key increment_condition 'always' is not allowed; "
            "use True or False or an expression such as @(...)",
        ),
    ),
)
