from typing import Any

from hypothesis import strategies as st

from policies import QuotaByKey
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import counted, maybe, measured

SUBSCRIPTION = "@(context.Subscription.Id)"


def _by_key(**options: Any) -> QuotaByKey:
    return QuotaByKey(**{"counter_key": "k", "calls": 1, "renewal_period": 0, **options})


RECORD = Record(
    QuotaByKey,
    examples=(QuotaByKey(calls=1, renewal_period=0, counter_key="a"),),
    drawn=measured(
        QuotaByKey,
        **counted,
        renewal_period=st.just(0) | st.integers(300, INT_MAX),
        first_period_start=maybe(st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat() + "Z")),
    ),
    renders={
        "quota-by-key takes every option": (
            QuotaByKey(
                calls=10,
                bandwidth=20,
                renewal_period=300,
                first_period_start="2024-02-29T00:00:00Z",
                counter_key=SUBSCRIPTION,
                increment_condition=False,
                increment_count="@(1)",
            ),
            '<quota-by-key calls="10" bandwidth="20" renewal-period="300" first-period-start="2024-02-29T00:00:00Z" '
            'counter-key="@(context.Subscription.Id)" increment-condition="false" increment-count="@(1)" />',
        ),
        "quota-by-key may last for ever": (
            QuotaByKey(calls=1, renewal_period=0, counter_key="all"),
            '<quota-by-key calls="1" renewal-period="0" counter-key="all" />',
        ),
    },
    refuses=(
        *(
            (
                lambda period=period: _by_key(renewal_period=period),
                f"quota-by-key renewal_period {period} is not allowed; "
                "use 300 to 2147483647 seconds, or 0 for a quota that is never renewed",
            )
            for period in (-300, 1, 299, 2**31)
        ),
        (
            lambda: _by_key(calls="@(1)"),
            "quota-by-key calls '@(1)' is not allowed; use a whole number",
        ),
        *(
            (
                lambda start=start: _by_key(first_period_start=start),
                f"quota-by-key first_period_start {start!r} is not a time in UTC; write it as 2026-01-31T00:00:00Z",
            )
            for start in ("2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T00:00:00+01:00", "@(DateTime.Now)")
        ),
        (lambda: _by_key(counter_key=""), "quota-by-key counter_key '' is empty; give it a value"),
        (
            lambda: _by_key(increment_count=2**31),
            "quota-by-key increment_count 2147483648 is not allowed; use 0 to 2147483647",
        ),
    ),
)
