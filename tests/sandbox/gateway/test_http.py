"""The short ways through the HTTP details answer as the long ones do."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from sandbox.gateway import http

PIECES = ("/", ".", "..", "a", "B-", "~", "_", "%2e", "%2F", "%252e", ";", ";x", "\\", "%5c", "%00", " ", "é", "//")
NEVER = re.compile(r"(?!)")


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: "/" + "".join(pieces)))
@example("/")
@example("//")
@example("/a/.")
@example("/a.b/..c")
def test_path_without_anything_to_decode_is_judged_as_any_other(path: str) -> None:
    quick = http.is_safe_path(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "_PLAIN_PATH", NEVER)
        assert http.is_safe_path(path) == quick


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
    assert list(http.end_to_end(CIMultiDictProxy(CIMultiDict(pairs))).items()) == kept
