"""`mock-response`: answers with an example from the API's definition."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import check_literal, check_range
from policies.shared.policy import ANY_SECTION, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class MockResponse(TypedPolicy):
    """Ends the pipeline with an example of the operation's response (mock-response).

    Without an example the service generates a sample from the schema, which the emulator does not; without a schema
    the response has no content.
    """

    tag: ClassVar[str] = "mock-response"
    sections: ClassVar[frozenset[Section]] = ANY_SECTION - {Section.BACKEND}

    enabled: bool | None = None
    """Whether the policy does anything (only the schema has this option). Defaults to true."""
    status_code: int | None = None
    """Status code, 200 to 599, of the response and of the example. Defaults to 200."""
    content_type: str | None = None
    """Content type of the response and of the example, literal. Defaults to the first one with an example."""
    index: int | None = None
    """Place of the example among several, from 0 (only the schema has this option). Defaults to 0."""

    def __post_init__(self) -> None:
        """Check what names the example."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} status_code", self.status_code, 200, 599)
        check_literal(f"{self.tag} content_type", self.content_type)
        check_range(f"{self.tag} index", self.index, 0, 1000)
