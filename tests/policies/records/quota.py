from hypothesis import strategies as st

from policies import Quota, QuotaApi, QuotaOperation
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_limits
from tests.policies.record import Record
from tests.policies.values import measured

RECORD = Record(
    Quota,
    examples=(
        Quota(calls=1, renewal_period=0),
        QuotaApi(id="a", calls=1),
        QuotaOperation(id="a", calls=1),
    ),
    drawn=measured(
        Quota,
        renewal_period=st.integers(0, INT_MAX),
        apis=st.lists(measured(QuotaApi, operations=st.lists(measured(QuotaOperation), max_size=2)), max_size=2),
    ),
    renders={
        "quota takes every option": (
            Quota(
                calls=10000,
                bandwidth=40000,
                renewal_period=3600,
                apis=[
                    QuotaApi(id="a", calls=5, operations=[QuotaOperation(name="b", bandwidth=7)]),
                    QuotaApi(name="c", bandwidth=1),
                ],
            ),
            """
        <quota calls="10000" bandwidth="40000" renewal-period="3600">
            <api id="a" calls="5">
                <operation name="b" bandwidth="7" />
            </api>
            <api name="c" bandwidth="1" />
        </quota>
        """,
        ),
        "quota may last for ever": (
            Quota(id="q", bandwidth=2**63 - 1, renewal_period=0),
            '<quota id="q" bandwidth="9223372036854775807" renewal-period="0" />',
        ),
    },
    refuses=(
        (lambda: Quota(renewal_period=0), "quota has neither calls nor bandwidth; give one of them or both"),
        (
            lambda: Quota(calls=1, renewal_period=-1),
            "quota renewal_period -1 is not allowed; use 0 to 2147483647 seconds",
        ),
        (
            lambda: Quota(bandwidth=0, renewal_period=0),
            "quota bandwidth 0 is not allowed; use 1 to 9223372036854775807 kilobytes",
        ),
        (lambda: QuotaApi(id="a"), "quota api has neither calls nor bandwidth; give one of them or both"),
        (lambda: QuotaApi(calls=1), "quota api has neither id nor name; give one of them"),
        (lambda: QuotaOperation(id="", calls=1), "quota operation id '' is empty; give it a value"),
        (lambda: QuotaOperation(id="a", calls=0), "quota operation calls 0 is not allowed; use 1 to 2147483647"),
    ),
    children=read_limits(QuotaApi, QuotaOperation),
)
