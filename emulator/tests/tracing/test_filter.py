"""What a person types to see some calls and not others."""

import pytest

from apim_emulator.tracing.filter import Filter
from emulator.tests.tracing.calls import call, span

CALLS = (
    call(1, method="POST", api="azure-openai", operation="chat", status=401, error="TokenAudienceNotAllowed: no"),
    call(2, api="orders", status=200, duration=250.0, identity="subscription team a", url="/orders?next=http://a.test"),
    call(3, api="orders", status=503, duration=99.5, spans=(span("choose", children=(span("mock-response"),)),)),
    call(4, api=None, operation=None, status=None, caller="10.0.0.7"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [1, 2, 3, 4], id="nothing typed"),
        pytest.param("  ", [1, 2, 3, 4], id="blanks"),
        pytest.param("401", [1], id="a status as a word"),
        pytest.param("audience", [1], id="a word of the error, in any case"),
        pytest.param("status:4xx", [1], id="a class of statuses"),
        pytest.param("status:401", [1], id="a status"),
        pytest.param("status:40", [], id="half a status is another one"),
        pytest.param("status:>=400", [1, 3], id="statuses from one on"),
        pytest.param("status:none", [4], id="no response"),
        pytest.param("-status:2xx", [1, 3, 4], id="all but those"),
        pytest.param("ms:>100", [2], id="slow ones"),
        pytest.param("ms:<=99.5", [1, 3, 4], id="fast ones"),
        pytest.param("API:Orders", [2, 3], id="case is the same"),
        pytest.param("api:orders status:5xx", [3], id="all terms have to fit"),
        pytest.param("method:post", [1], id="method"),
        pytest.param("operation:chat", [1], id="operation"),
        pytest.param('caller:"team a"', [2], id="quotes hold blanks together"),
        pytest.param('caller:"team a', [2], id="a quote that is not closed yet"),
        pytest.param("caller:10.0", [4], id="address"),
        pytest.param("policy:mock", [3], id="a policy inside others"),
        pytest.param("mock", [], id="policies are no words of a call"),
        pytest.param("http://a.test", [2], id="a colon that makes no field"),
        pytest.param("unknown:orders", [], id="a field that is none is a word"),
        pytest.param("status:", [1, 2, 3, 4], id="a field that is typed next"),
        pytest.param("-", [1, 2, 3, 4], id="a minus that is typed next"),
        pytest.param("status:>9999999999999999999999", [], id="a number that is none"),
    ],
)
def test_filter_takes(text: str, expected: list[int]) -> None:
    assert [one.number for one in CALLS if Filter(text).takes(one)] == expected
