"""`validate-parameters`: validates headers, query and path of the request."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_output_names
from policies.shared.options import Options, label
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, options_element
from policies.shared.validation_action import ValidationAction, action_elements, check_names


@dataclass(frozen=True, kw_only=True, slots=True)
class PathParameters(Options):
    """Actions for path parameters, instead of those of the policy."""

    specified_parameter_action: ValidationAction | str
    """What happens to a parameter that is not as the API describes it, or an expression."""
    parameters: dict[str, ValidationAction | str] = field(default_factory=dict)
    """Actions for single parameters, by name. Defaults to none."""

    def __post_init__(self) -> None:
        """Check the names."""
        Options.__post_init__(self)
        check_names(f"{label(self)} parameters", self.parameters)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageParameters(PathParameters):
    """Actions for headers or query parameters, instead of those of the policy."""

    unspecified_parameter_action: ValidationAction | str
    """What happens to a parameter that the API does not describe, or an expression."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateParameters(TypedPolicy):
    """Validates the request's parameters against the API's definition, once a section (validate-parameters)."""

    tag: ClassVar[str] = "validate-parameters"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    specified_parameter_action: ValidationAction | str
    """What happens to a parameter that is not as the API describes it, or an expression."""
    unspecified_parameter_action: ValidationAction | str
    """What happens to a parameter that the API does not describe, or an expression."""
    errors_variable_name: str | None = None
    """Variable that receives the validation errors. Defaults to none."""
    headers: MessageParameters | None = None
    """Actions for headers. Defaults to those above."""
    query: MessageParameters | None = None
    """Actions for query parameters. Defaults to those above."""
    path: PathParameters | None = None
    """Actions for path parameters. Defaults to those above."""

    def __post_init__(self) -> None:
        """Check the variable."""
        TypedPolicy.__post_init__(self)
        check_output_names(self)

    def children(self) -> Iterator[ET.Element]:
        """Yield headers, query and path."""
        for tag, parameters in (("headers", self.headers), ("query", self.query), ("path", self.path)):
            if parameters is not None:
                element = options_element(tag, parameters)
                element.extend(action_elements("parameter", "name", parameters.parameters))
                yield element
