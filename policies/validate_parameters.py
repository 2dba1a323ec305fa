"""`validate-parameters`: validates headers, query and path of the request."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.checks import check_output_names
from policies.options import Options, label
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, options_element
from policies.validation_action import ValidationAction, action_elements, check_parts


@dataclass(frozen=True, kw_only=True, slots=True)
class PathParameters(Options):
    """Actions for parameters of the path, in place of those of the policy."""

    specified_parameter_action: ValidationAction | str
    """What happens to a parameter that is not as the API describes it, or an expression."""
    parameters: dict[str, ValidationAction | str] = field(default_factory=dict)
    """Actions for single parameters, by name. Left out: none of their own."""

    def __post_init__(self) -> None:
        """Check the names."""
        Options.__post_init__(self)
        check_parts(f"{label(self)} parameters", self.parameters)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageParameters(PathParameters):
    """Actions for headers or parameters of the query, in place of those of the policy."""

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
    """Variable that receives the mistakes. Left out: none does."""
    headers: MessageParameters | None = None
    """Actions for headers. Left out: those above."""
    query: MessageParameters | None = None
    """Actions for parameters of the query. Left out: those above."""
    path: PathParameters | None = None
    """Actions for parameters of the path. Left out: those above."""

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
