"""Whatever the options, the document is well-formed, valid, stable, and says what they say."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import Base, Document, Policy, Section
from policies.catalog import TYPES as CATALOG
from policies.policy import TypedPolicy
from tests.policies.derived import each
from tests.policies.reader import TYPES, read_document
from tests.policies.strategies import INBOUND, OUTBOUND, backend, documents

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
EACH = settings(max_examples=70, deadline=None, database=None, suppress_health_check=QUIET)
WHOLE = settings(max_examples=200, deadline=None, database=None, suppress_health_check=QUIET)


def check(document: Document, judge: Callable[[str], list[str]]) -> None:
    rendered = document.render()

    assert document.render() == rendered
    assert read_document(rendered) == document
    assert judge(rendered) == []


@pytest.mark.parametrize("tag", [*INBOUND])
@given(data=st.data())
@EACH
def test_any_options_of_a_policy_read_back_the_same(
    tag: str, judge: Callable[[str], list[str]], data: st.DataObject
) -> None:
    policy = data.draw(INBOUND[tag])

    assert policy.element().tag == tag
    check(Document(inbound=[policy, Base()]), judge)


@pytest.mark.parametrize("tag", [*OUTBOUND])
@given(data=st.data())
@EACH
def test_any_options_of_a_policy_of_the_response_read_back_the_same(
    tag: str, judge: Callable[[str], list[str]], data: st.DataObject
) -> None:
    policy = data.draw(OUTBOUND[tag])

    assert policy.element().tag == tag
    check(Document(outbound=[policy, Base()]), judge)


@given(policy=backend)
@EACH
def test_any_backend_policy_reads_back_the_same(judge: Callable[[str], list[str]], policy: Policy) -> None:
    check(Document(backend=[policy]), judge)


@given(document=documents())
@WHOLE
def test_any_document_reads_back_the_same(judge: Callable[[str], list[str]], document: Document) -> None:
    check(document, judge)


@pytest.mark.parametrize("kind", CATALOG, ids=lambda kind: kind.tag)
def test_the_schema_accepts_every_field_of_a_policy(kind: type[TypedPolicy], judge: Callable[[str], list[str]]) -> None:
    section = next(section for section in Section if section in kind.sections).name.lower()

    refused = [(policy, errors) for policy in each(kind) if (errors := judge(Document(**{section: [policy]}).render()))]

    assert refused == []


def test_every_policy_with_a_type_is_tried() -> None:
    assert TYPES.keys() - INBOUND.keys() - OUTBOUND.keys() == {"forward-request"}
