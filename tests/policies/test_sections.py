"""Where each policy may stand, held against what is known of the service."""

import policies
from policies import Base, Section
from policies.catalog import SECTIONS, TYPES
from policies.policy import TypedPolicy

# The policy reference names fewer sections for these than the judge, or more; the judge unites it with the toolkit.
NARROWER = {"set-backend-service", "set-query-parameter", "wait"}
WIDER = {"emit-metric", "llm-content-safety"}  # the latter in `outbound` since 2026, the former in `backend`
NOT_TOLD = {  # by no source but the schema, which has one list for all sections
    "authentication-token", "authentication-token-store", "block", "cosmosdb-data-source", "graphql-data-source",
    "http-data-source", "publish-event", "set-request-metric-dimension-value", "set-url", "sql-data-source",
    "validate-graphql-request",
}  # fmt: skip


def test_every_policy_stands_where_the_service_allows_it(judged_sections: dict[str, set[str]]) -> None:
    ours = {tag: {str(section) for section in sections} for tag, sections in SECTIONS.items()}
    ours["base"] = {str(section) for placement in Base().placements() for section in placement.sections}

    assert ours.keys() - judged_sections.keys() == NOT_TOLD
    assert judged_sections.keys() - ours.keys() == set()
    assert {tag for tag, known in judged_sections.items() if ours[tag] < known} == NARROWER
    assert {tag for tag, known in judged_sections.items() if not ours[tag] <= known} == WIDER


def test_every_policy_class_is_listed_with_its_sections() -> None:
    exported = [value for name in policies.__all__ if isinstance(value := getattr(policies, name), type)]

    assert {kind for kind in exported if issubclass(kind, TypedPolicy)} == set(TYPES)
    assert len({kind.tag for kind in TYPES}) == len(TYPES) == 55
    assert {kind.tag: SECTIONS[kind.tag] for kind in TYPES} == {kind.tag: kind.sections for kind in TYPES}


def test_sections_are_in_the_order_in_which_they_run() -> None:
    assert list(Section) == ["inbound", "backend", "outbound", "on-error"]
