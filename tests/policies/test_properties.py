"""Whatever the options, the document is well-formed, valid, stable, and says what they say."""

from functools import cache, partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import Base, Document, Policy
from tests.judges import errors_of
from tests.policies.reader import TYPES, read_document
from tests.policies.strategies import INBOUND, OUTBOUND, backend, documents


def first(section: str, tag: str, policy: Policy) -> Document:
    assert policy.element().tag == tag
    return Document(**{section: [policy, Base()]})


WHOLE = "whole documents"
DRAWN: dict[str, st.SearchStrategy[Document]] = {
    **{tag: policy.map(partial(first, "inbound", tag)) for tag, policy in INBOUND.items()},
    **{tag: policy.map(partial(first, "outbound", tag)) for tag, policy in OUTBOUND.items()},
    "backend policies": backend.map(lambda drawn: Document(backend=[drawn])),
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


def test_every_policy_with_a_type_is_tried() -> None:
    assert TYPES.keys() - INBOUND.keys() - OUTBOUND.keys() == {"forward-request"}
