from typing import Any

from hypothesis import strategies as st

from policies import ForwardRequest, Policy, Retry, SetBackendService
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_policies
from tests.policies.record import Record
from tests.policies.values import VARIABLE, flag_expressions, maybe, options, upto


def retry(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    waits = st.sampled_from([[], ["delta"], ["delta", "max_interval"]])
    return waits.flatmap(
        lambda given: options(
            Retry,
            condition=flag_expressions,
            count=upto(1, 50),
            interval=upto(0, INT_MAX),
            first_fast_retry=maybe(flag_expressions),
            policies=st.lists(policies, min_size=1, max_size=2),
            **{name: upto(1, INT_MAX) for name in given},
        )
    )


def _retry(**options: Any) -> Retry:
    return Retry(**{"condition": True, "count": 1, "interval": 0, "policies": [VARIABLE], **options})


RECORD = Record(
    Retry,
    examples=(
        Retry(condition=True, count=1, interval=0, policies=[VARIABLE]),
        Retry(condition=True, count=1, interval=0, delta=1, max_interval=1, policies=[VARIABLE]),
    ),
    drawn=retry,
    renders={
        "retry takes every option": (
            Retry(
                id="r",
                condition="@(context.Response.StatusCode == 429 || context.Response.StatusCode >= 500)",
                count=50,
                interval=0,
                delta=10,
                max_interval=100,
                first_fast_retry=True,
                policies=[SetBackendService(backend_id="pool"), ForwardRequest(buffer_request_body=True)],
            ),
            """
        <retry id="r" condition="@(context.Response.StatusCode == 429 || context.Response.StatusCode &gt;= 500)" \
count="50" interval="0" delta="10" max-interval="100" first-fast-retry="true">
            <set-backend-service backend-id="pool" />
            <forward-request buffer-request-body="true" />
        </retry>
        """,
        ),
    },
    refuses=(
        *(
            (lambda count=count: _retry(count=count), f"retry count {count} is not allowed; use 1 to 50")
            for count in (0, 51)
        ),
        (lambda: _retry(interval=-1), "retry interval -1 is not allowed; use 0 to 2147483647 seconds"),
        (lambda: _retry(delta=0), "retry delta 0 is not allowed; use 1 to 2147483647 seconds"),
        (lambda: _retry(delta=1, max_interval=0), "retry max_interval 0 is not allowed; use 1 to 2147483647 seconds"),
        (
            lambda: _retry(max_interval=5),
            "retry has max_interval without delta, without which the wait does not grow; give both",
        ),
        (lambda: _retry(policies=[]), "retry policies [] is empty; give at least one policy"),
    ),
    children=read_policies,
)
