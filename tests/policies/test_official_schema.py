"""What Microsoft's policy schemas, and the rules of the service, say to what is rendered here."""

import pytest

from policies import Base, Document, Policy, Section
from policies.documents.availability import unavailable
from policies.documents.catalog import SECTIONS, TYPES
from policies.shared.policy import TypedPolicy
from tests import judges
from tests.policies import test_rendering
from tests.policies.derived import each
from tests.policies.documents import test_availability
from tests.policies.rendered import placed

pytestmark = pytest.mark.slow

RENDERED = [pytest.param(case.values[0], id=case.id) for case in test_rendering.RENDERED]


@pytest.mark.parametrize("policy", RENDERED)
def test_the_schema_accepts_a_policy_as_it_renders(policy: Policy) -> None:
    assert judges.errors_of(placed(policy).render()) == []


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.tag)
def test_the_schema_accepts_every_field_of_a_policy(kind: type[TypedPolicy]) -> None:
    section = next(section for section in Section if section in kind.sections)
    documents = [Document(**{section.name.lower(): [policy]}).render() for policy in each(kind)]

    refused = [(text, errors) for text in documents if (errors := judges.errors_of(text))]

    assert refused == []


def test_the_schema_accepts_a_document_without_options() -> None:
    assert judges.errors_of(Document().render()) == []


GATEWAYS = {"Consumption": "consumption", "BasicV2": "v2", "StandardV2": "v2", "PremiumV2": "v2"}
"""Kinds of gateway by tier; that of the others is `classic`."""


@pytest.mark.parametrize(("policy", "sku"), test_availability.HAVING, ids=test_availability.named)
def test_the_service_takes_a_policy_in_a_tier_that_has_it(policy: TypedPolicy, sku: str) -> None:
    text = Document(inbound=[Base(), policy]).render(sku)

    assert judges.errors_of(text, GATEWAYS.get(sku, "classic")) == []


@pytest.mark.parametrize("sku", ["Consumption", "BasicV2", "Basic"])
def test_tiers_lack_what_the_service_says(sku: str) -> None:
    tags = {kind.tag for kind in TYPES}

    lacking = judges.policies_that_a_gateway_lacks(GATEWAYS.get(sku, "classic"))
    assert {tag for tag in tags if unavailable(tag, sku)} == tags & lacking


# The policy reference names fewer sections for these than the judge, or more; the judge unites it with the toolkit.
NARROWER = {"set-backend-service", "set-query-parameter", "wait"}
WIDER = {"emit-metric", "llm-content-safety"}  # the latter in `outbound` since 2026, the former in `backend`
NOT_TOLD = {  # by no source but the schema, which has one list for all sections
    "authentication-token", "authentication-token-store", "block", "cosmosdb-data-source", "graphql-data-source",
    "http-data-source", "publish-event", "set-request-metric-dimension-value", "set-url", "sql-data-source",
    "validate-graphql-request",
}  # fmt: skip


def test_every_policy_stands_where_the_service_allows_it() -> None:
    known = judges.sections()
    ours = {tag: {str(section) for section in sections} for tag, sections in SECTIONS.items()}
    ours["base"] = {str(section) for placement in Base().placements() for section in placement.sections}

    assert ours.keys() - known.keys() == NOT_TOLD
    assert known.keys() - ours.keys() == set()
    assert {tag for tag, sections in known.items() if ours[tag] < sections} == NARROWER
    assert {tag for tag, sections in known.items() if not ours[tag] <= sections} == WIDER
