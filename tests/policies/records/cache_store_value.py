from policies import CacheStoreValue, CachingType
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import CACHED, caching, options, texts, upto

RECORD = Record(
    CacheStoreValue,
    examples=(CACHED,),
    drawn=options(CacheStoreValue, **caching, value=texts, duration=upto(1, INT_MAX)),
    renders={
        "cache-store-value takes every option": (
            CacheStoreValue(key="k", value="@(context.RequestId)", duration=60, caching_type=CachingType.EXTERNAL),
            '<cache-store-value key="k" value="@(context.RequestId)" duration="60" caching-type="external" />',
        ),
    },
    refuses=(
        (
            lambda: CacheStoreValue(key="k", value="", duration=0),
            "cache-store-value duration 0 is not allowed; use 1 to 2147483647 seconds",
        ),
        (lambda: CacheStoreValue(key="", value="", duration=1), "cache-store-value key '' is empty; give it a value"),
    ),
)
