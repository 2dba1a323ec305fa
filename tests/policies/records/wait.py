from hypothesis import strategies as st

from policies import CacheLookupValue, Choose, ForwardRequest, Policy, Retry, SetMethod, Wait, WaitFor, When
from tests.policies.reader import read_policies
from tests.policies.record import Record
from tests.policies.records import cache_lookup_value, cache_store_value, choose, send_request
from tests.policies.values import CACHED, VARIABLE, choice, options


def wait(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    leaves = (send_request, cache_lookup_value, cache_store_value)
    inside = st.one_of(*(leaf.RECORD.policies() for leaf in leaves), choose.RECORD.policies(policies))
    return options(Wait, for_=choice(WaitFor), policies=st.lists(inside, min_size=1, max_size=2))


RECORD = Record(
    Wait,
    examples=(Wait(policies=[CACHED]),),
    drawn=wait,
    renders={
        "wait runs policies in parallel": (
            Wait(
                for_=WaitFor.ANY,
                policies=[
                    CacheLookupValue(key="k", variable_name="v"),
                    Choose(when=[When(condition=True, policies=[SetMethod(value="GET")])]),
                ],
            ),
            """
        <wait for="any">
            <cache-lookup-value key="k" variable-name="v" />
            <choose>
                <when condition="true">
                    <set-method>GET</set-method>
                </when>
            </choose>
        </wait>
        """,
        ),
        "wait waits for all by default": (
            Wait(policies=[ForwardRequest()]),
            """
        <wait for="all">
            <forward-request />
        </wait>
        """,
        ),
    },
    refuses=(
        (
            lambda: Wait(policies=[ForwardRequest(), VARIABLE]),
            "set-variable is not allowed directly inside wait; use choose, forward-request, send-request, "
            "cache-lookup-value, cache-store-value, authentication-managed-identity",
        ),
        (
            lambda: Retry(
                condition=True,
                count=1,
                interval=0,
                policies=[Choose(when=[When(condition=True, policies=[Wait(policies=[CACHED])])])],
            ),
            "wait is not allowed inside retry; move it out",
        ),
        (lambda: Wait(policies=[]), "wait policies [] is empty; give at least one policy"),
    ),
    children=read_policies,
)
