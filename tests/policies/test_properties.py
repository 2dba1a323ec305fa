"""Whatever the options, the document is well-formed, valid, stable, and says what they say."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import Base, Document
from tests.judges import errors_of
from tests.policies.reader import read_document
from tests.policies.records import RECORDS
from tests.policies.strategies import backend, documents, drawn, raw_element

WHOLE = "whole documents"
DRAWN: dict[str, st.SearchStrategy[Document]] = {
    **{tag: drawn(tag) for tag in RECORDS},
    "raw elements": raw_element.map(lambda policy: Document(inbound=[policy, Base()])),
    "backend policies": backend.map(lambda policy: Document(backend=[policy])),
    WHOLE: documents(),
}
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# To draw is what takes the time: the scope puts the two tests of what was drawn beside each other.
EACH = pytest.mark.parametrize("what", DRAWN, scope="module")
pytestmark = pytest.mark.hypothesis


@cache
def renderings(what: str) -> list[str]:
    """Return documents of options drawn at random, each rendered twice and read back."""
    found: list[str] = []

    @settings(max_examples=200 if what is WHOLE else 70, deadline=None, database=None, suppress_health_check=QUIET)
    @given(DRAWN[what])
    def draw(document: Document) -> None:
        rendered = document.render()

        assert document.render() == rendered
        assert read_document(rendered) == document
        found.append(rendered)

    draw()
    return found


@EACH
def test_any_options_read_back_the_same(what: str) -> None:
    assert renderings(what)


@EACH
def test_the_schema_accepts_any_options(what: str) -> None:
    refused = [(errors, text) for text in sorted(renderings(what), key=len) if (errors := errors_of(text))]

    assert refused == []
