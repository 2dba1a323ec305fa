"""`return-response`: ends the pipeline and answers the caller."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.set_body import SetBody
from policies.set_header import SetHeader
from policies.set_status import SetStatus
from policies.shared.checks import check_output_names
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnResponse(TypedPolicy):
    """Answers the caller at once; with no options it answers 200 with no body (return-response)."""

    tag: ClassVar[str] = "return-response"

    response_variable_name: str | None = None
    """Variable with a response to start from, such as one of `send-request`. Defaults to an empty response."""
    status: SetStatus | None = None
    """Status. Defaults to 200, or to that of the variable."""
    headers: list[SetHeader] = field(default_factory=list)
    """Headers. Defaults to none, or to those of the variable."""
    body: SetBody | None = None
    """Body. Defaults to none, or to that of the variable."""

    def __post_init__(self) -> None:
        """Check the variable."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)

    def children(self) -> Iterable[ET.Element]:
        """Return status, headers and body."""
        return [part.element() for part in (self.status, *self.headers, self.body) if part is not None]
