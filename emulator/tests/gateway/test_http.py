"""The short ways through the HTTP details answer as the long ones do."""

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from apim_emulator.gateway.http import headers


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Connection", "connection", "TE", "te", "Upgrade", "Transfer-Encoding", "Keep-Alive", "X-A", "x-b"]
            ),
            st.sampled_from(["close", "X-A, keep-alive", "x-b", "1", ""]),
        )
    )
)
def test_headers_of_the_connection_and_those_that_it_names_are_dropped(pairs: list[tuple[str, str]]) -> None:
    named = {part.strip().lower() for name, value in pairs if name.lower() == "connection" for part in value.split(",")}
    dropped = {"connection", "te", "upgrade", "transfer-encoding", "keep-alive"} | named
    kept = [(name, value) for name, value in pairs if name.lower() not in dropped]
    assert list(headers.end_to_end(CIMultiDictProxy(CIMultiDict(pairs))).items()) == kept
