"""`validate-headers`: validates the headers of the response."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_output_names
from policies.shared.policy import Section, TypedPolicy
from policies.shared.validation_action import ValidationAction, action_elements, check_names


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateHeaders(TypedPolicy):
    """Validates the response's headers against the API's definition (validate-headers)."""

    tag: ClassVar[str] = "validate-headers"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.OUTBOUND, Section.ON_ERROR})
    once: ClassVar[bool] = True

    specified_header_action: ValidationAction | str
    """What happens to a header that is not as the API describes it, or an expression."""
    unspecified_header_action: ValidationAction | str
    """What happens to a header that the API does not describe, or an expression."""
    errors_variable_name: str | None = None
    """Variable that receives the validation errors. Defaults to none."""
    headers: dict[str, ValidationAction | str] = field(default_factory=dict)
    """Actions for single headers, by name. Defaults to those above."""

    def __post_init__(self) -> None:
        """Check the names."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)
        check_names(f"{self.tag} headers", self.headers)

    def children(self) -> Iterable[ET.Element]:
        """Return the headers."""
        return action_elements("header", "name", self.headers)
