"""All policies: the types of this package, and the sections where each policy of the service is allowed."""

from collections.abc import Iterator, Mapping

from policies.shared.policy import ANY_SECTION, BY_TAG, INBOUND_ONLY, Section

TYPES = BY_TAG.values()
"""The type of each typed policy."""

_INBOUND = "cross-domain validate-graphql-request validate-odata-request"
_OUTBOUND = "jsonp"
_INBOUND_OR_OUTBOUND = "redirect-content-urls"
_NOT_BACKEND = "invoke-dapr-binding publish-to-dapr send-service-bus-message xsl-transform"
_ANYWHERE = "cache-value invoke-request json-to-xml"
_UNDOCUMENTED = """authentication-token authentication-token-store block cosmosdb-data-source graphql-data-source
http-data-source publish-event set-request-metric-dimension-value set-url sql-data-source"""
UNDOCUMENTED = frozenset(_UNDOCUMENTED.split())
"""Policies that only the schema has; the policy reference does not describe them."""
UNTYPED: Mapping[str, frozenset[Section]] = {
    **dict.fromkeys(_INBOUND.split(), INBOUND_ONLY),
    **dict.fromkeys(_OUTBOUND.split(), frozenset({Section.OUTBOUND})),
    **dict.fromkeys(_INBOUND_OR_OUTBOUND.split(), frozenset({Section.INBOUND, Section.OUTBOUND})),
    **dict.fromkeys(_NOT_BACKEND.split(), ANY_SECTION - {Section.BACKEND}),
    **dict.fromkeys(_ANYWHERE.split(), ANY_SECTION),
    **dict.fromkeys(UNDOCUMENTED, ANY_SECTION),
}
"""Sections where policies without a type are allowed (policy reference); any, for those that only the schema has."""


class _Sections(Mapping[str, frozenset[Section]]):
    def __getitem__(self, tag: str) -> frozenset[Section]:
        kind = BY_TAG.get(tag)
        return UNTYPED[tag] if kind is None else kind.sections

    def __iter__(self) -> Iterator[str]:
        return iter(BY_TAG.keys() | UNTYPED.keys())

    def __len__(self) -> int:
        return len(BY_TAG.keys() | UNTYPED.keys())


SECTIONS = _Sections()
"""Sections where each policy is allowed, by its type or else by the policy reference."""
