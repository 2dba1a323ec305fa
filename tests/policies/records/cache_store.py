from policies import CacheStore
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import flag_expressions, maybe, options, plain, upto

RECORD = Record(
    CacheStore,
    examples=(CacheStore(duration=1),),
    drawn=options(
        CacheStore, duration=upto(1, INT_MAX), cache_response=maybe(flag_expressions), caching_mode=maybe(plain)
    ),
    renders={
        "cache-store takes every option": (
            CacheStore(id="s", duration="@(60 * 60)", cache_response=True, caching_mode="mode"),
            '<cache-store id="s" duration="@(60 * 60)" cache-response="true" caching-mode="mode" />',
        ),
    },
    refuses=((lambda: CacheStore(duration=0), "cache-store duration 0 is not allowed; use 1 to 2147483647 seconds"),),
)
