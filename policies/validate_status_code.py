"""`validate-status-code`: validates the status code of the response."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_output_names, check_status_code
from policies.shared.policy import Section, TypedPolicy
from policies.shared.validation_action import ValidationAction, action_elements


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateStatusCode(TypedPolicy):
    """Validates the response's status code against the API's definition (validate-status-code)."""

    tag: ClassVar[str] = "validate-status-code"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.OUTBOUND, Section.ON_ERROR})

    unspecified_status_code_action: ValidationAction | str
    """What happens to a status code that the API does not describe, or an expression."""
    errors_variable_name: str | None = None
    """Variable that receives the validation errors. Defaults to none."""
    status_codes: dict[int, ValidationAction | str] = field(default_factory=dict)
    """Actions for single status codes. Defaults to the one above."""

    def __post_init__(self) -> None:
        """Check the status codes."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)
        for code in self.status_codes:
            check_status_code(f"{self.tag} status_codes", code)

    def children(self) -> Iterable[ET.Element]:
        """Return the status codes."""
        return action_elements("status-code", "code", self.status_codes)
