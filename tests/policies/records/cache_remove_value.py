from policies import CacheRemoveValue, CachingType
from tests.policies.record import Record
from tests.policies.values import caching, options

RECORD = Record(
    CacheRemoveValue,
    examples=(CacheRemoveValue(key="a"),),
    drawn=options(CacheRemoveValue, **caching),
    renders={
        "cache-remove-value takes every option": (
            CacheRemoveValue(key="k", caching_type=CachingType.PREFER_EXTERNAL),
            '<cache-remove-value key="k" caching-type="prefer-external" />',
        ),
    },
    refuses=((lambda: CacheRemoveValue(key=" "), "cache-remove-value key ' ' is empty; give it a value"),),
)
