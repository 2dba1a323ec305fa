from hypothesis import strategies as st

from policies import ForwardRequest, LimitConcurrency, Policy
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_policies
from tests.policies.record import Record
from tests.policies.values import VARIABLE, filled, options


def limit_concurrency(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    some = st.lists(policies, min_size=1, max_size=2)
    return options(LimitConcurrency, key=filled, max_count=st.integers(1, INT_MAX), policies=some)


RECORD = Record(
    LimitConcurrency,
    examples=(LimitConcurrency(key="a", max_count=1, policies=[VARIABLE]),),
    drawn=limit_concurrency,
    renders={
        "limit-concurrency lets few requests in": (
            LimitConcurrency(
                key='@((string)context.Variables["connectionId"])', max_count=3, policies=[ForwardRequest(timeout=120)]
            ),
            """
        <limit-concurrency key="@((string)context.Variables[&quot;connectionId&quot;])" max-count="3">
            <forward-request timeout="120" />
        </limit-concurrency>
        """,
        ),
    },
    refuses=(
        (
            lambda: LimitConcurrency(key="", max_count=1, policies=[VARIABLE]),
            "limit-concurrency key '' is empty; give it a value",
        ),
        (
            lambda: LimitConcurrency(key="k", max_count=0, policies=[VARIABLE]),
            "limit-concurrency max_count 0 is not allowed; use 1 to 2147483647",
        ),
        (
            lambda: LimitConcurrency(key="k", max_count=1, policies=[]),
            "limit-concurrency policies [] is empty; give at least one policy",
        ),
    ),
    children=read_policies,
)
