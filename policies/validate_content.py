"""`validate-content`: validates the size and the schema of a body."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal, check_output_names, check_range
from policies.shared.errors import PolicyError
from policies.shared.options import Options
from policies.shared.policy import ANY_SECTION, Section, TypedPolicy, options_element
from policies.shared.validation_action import ValidationAction

_LARGEST_BODY = 102_400


class ContentFormat(StrEnum):
    """How a body is read to be validated."""

    JSON = "json"
    XML = "xml"
    SOAP = "soap"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentTypeMapping(Options):
    """A content type that is validated as another."""

    from_: str | None = None
    """Content type of the messages."""
    when: bool | str | None = None
    """Condition on the messages, normally an expression."""
    to: str
    """Content type as which the message is validated."""

    def __post_init__(self) -> None:
        """Check that the mapping says for which messages."""
        Options.__post_init__(self)
        if (self.from_ is None) == (self.when is None):
            raise PolicyError("content type mapping needs either from_ or when; give exactly one of them")
        check_literal("content type mapping from_", self.from_)
        check_literal("content type mapping to", self.to)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentTypeMap(Options):
    """Content types as which messages are validated."""

    any_content_type_value: str | None = None
    """Content type for every message. Defaults to that of the message."""
    missing_content_type_value: str | None = None
    """Content type for a message that names none. Defaults to none."""
    types: list[ContentTypeMapping] = field(default_factory=list)
    """Content types for some messages, which go before the others. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that something is mapped."""
        Options.__post_init__(self)
        check_literal("content type map any_content_type_value", self.any_content_type_value)
        check_literal("content type map missing_content_type_value", self.missing_content_type_value)
        if not (self.any_content_type_value or self.missing_content_type_value or self.types):
            raise PolicyError(
                "content type map is empty; give any_content_type_value, missing_content_type_value or types"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidatedContent(Options):
    """Messages of a content type that must follow a schema."""

    validate_as: ContentFormat
    """How the body is read."""
    type: str | None = None
    """Content type. Defaults to every one that the API describes."""
    action: ValidationAction | str
    """What happens to a body that does not follow the schema, or an expression."""
    schema_id: str | None = None
    """Schema of the service. Defaults to that of the API's definition."""
    schema_ref: str | None = None
    """Part of the schema in `schema_id`, a JSON pointer; only for JSON. Defaults to the whole schema."""
    allow_additional_properties: bool | None = None
    """Whether properties that a JSON schema does not name are allowed. By default the schema decides."""
    case_insensitive_property_names: bool | None = None
    """Whether property names match in any case (only the schema has this option). Defaults to false."""

    def __post_init__(self) -> None:
        """Check the content type."""
        Options.__post_init__(self)
        check_literal("validated content type", self.type)
        check_literal("validated content schema_id", self.schema_id)
        check_literal("validated content schema_ref", self.schema_ref)
        if self.schema_ref is not None and self.schema_id is None:
            raise PolicyError("validated content has schema_ref without schema_id; name the schema that it is part of")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateContent(TypedPolicy):
    """Validates the body of the request, or of the response in `outbound` and `on-error` (validate-content)."""

    tag: ClassVar[str] = "validate-content"
    sections: ClassVar[frozenset[Section]] = ANY_SECTION - {Section.BACKEND}

    unspecified_content_type_action: ValidationAction | str
    """What happens to a content type that the API does not name, or an expression."""
    max_size: int | str
    """Bytes of the largest body, 1 to 102,400, or an expression."""
    size_exceeded_action: ValidationAction | str
    """What happens to a larger body, or an expression."""
    errors_variable_name: str | None = None
    """Variable that receives the validation errors. Defaults to none."""
    content_type_map: ContentTypeMap | None = None
    """Content types as which messages are validated. Defaults to the messages' own."""
    contents: list[ValidatedContent] = field(default_factory=list)
    """Content types whose bodies must follow a schema. By default only the size is validated."""

    def __post_init__(self) -> None:
        """Check size and variable."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} max_size", self.max_size, 1, _LARGEST_BODY, "bytes")
        check_output_names(self)

    def children(self) -> Iterator[ET.Element]:
        """Yield the map, then the contents."""
        if self.content_type_map is not None:
            element = options_element("content-type-map", self.content_type_map)
            element.extend(options_element("type", mapping) for mapping in self.content_type_map.types)
            yield element
        for content in self.contents:
            yield options_element("content", content)
