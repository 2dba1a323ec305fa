"""`check-header`: refuses requests without a header, or with the wrong value."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_failure_code, check_header_name
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, text_element


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckHeader(TypedPolicy):
    """Accepts only requests with a header that has one of the values (check-header)."""

    tag: ClassVar[str] = "check-header"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    name: str
    """Name of the header, or an expression."""
    failed_check_httpcode: int = 401
    """Status code of a refusal, 400 to 599."""
    failed_check_error_message: str | None = None
    """Message of a refusal. Defaults to the gateway's own, which names the header."""
    ignore_case: bool | str | None = False
    """Whether case is ignored when values are compared. `None`: it is not (inferred)."""
    values: list[str] = field(default_factory=list)
    """Values, of which the header must have one. By default any value is accepted."""

    def __post_init__(self) -> None:
        """Check the header's name and the status code."""
        TypedPolicy.__post_init__(self)
        check_header_name("check-header name", self.name)
        check_failure_code("check-header failed_check_httpcode", self.failed_check_httpcode)

    def children(self) -> Iterable[ET.Element]:
        """Return the values."""
        return [text_element("value", value) for value in self.values]
