from hypothesis import strategies as st

from policies import MockResponse
from tests.policies.record import Record
from tests.policies.values import flags, maybe, options, plain

RECORD = Record(
    MockResponse,
    examples=(MockResponse(),),
    drawn=options(
        MockResponse,
        enabled=maybe(flags),
        status_code=maybe(st.integers(200, 599)),
        content_type=maybe(plain),
        index=maybe(st.integers(0, 1000)),
    ),
    renders={
        "mock-response takes every option": (
            MockResponse(enabled=True, status_code=201, content_type="application/json", index=1),
            '<mock-response enabled="true" status-code="201" content-type="application/json" index="1" />',
        ),
    },
    refuses=((lambda: MockResponse(status_code=100), "mock-response status_code 100 is not allowed; use 200 to 599"),),
)
