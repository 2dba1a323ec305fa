from policies import CacheLookupValue, CachingType
from tests.policies.record import Record
from tests.policies.values import caching, maybe, options, plain, texts

RECORD = Record(
    CacheLookupValue,
    examples=(CacheLookupValue(key="a", variable_name="b"),),
    drawn=options(CacheLookupValue, **caching, variable_name=plain, default_value=maybe(texts)),
    renders={
        "cache-lookup-value takes every option": (
            CacheLookupValue(
                id="l",
                key='@("user-" + context.Subscription.Id)',
                variable_name="user",
                default_value="nobody",
                caching_type=CachingType.INTERNAL,
            ),
            '<cache-lookup-value id="l" key="@(&quot;user-&quot; + context.Subscription.Id)" variable-name="user" '
            'default-value="nobody" caching-type="internal" />',
        ),
    },
    refuses=(
        (lambda: CacheLookupValue(key="", variable_name="v"), "cache-lookup-value key '' is empty; give it a value"),
        (
            lambda: CacheLookupValue(key="k", variable_name="@(1)"),
            "cache-lookup-value variable_name '@(1)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
    ),
)
