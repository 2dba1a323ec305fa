"""`set-body`: replaces the message body."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.policy import TypedPolicy, options_element


class Template(StrEnum):
    """Template language of a body."""

    NONE = "none"
    LIQUID = "liquid"


class XsiNil(StrEnum):
    """What an XML element with `xsi:nil` is to a template."""

    BLANK = "blank"
    NULL = "null"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBody(TypedPolicy):
    """Sets the body of the request, or of the response in `outbound` and `on-error` (set-body)."""

    tag: ClassVar[str] = "set-body"

    value: str = field(metadata={"content": True})
    """Literal text, an expression as a whole, or a Liquid template."""
    template: Template | None = None
    """Template language of `value`. By default it is text or an expression."""
    xsi_nil: XsiNil | None = None
    """What an XML element without a value is to the template. By default the gateway decides."""
    parse_date: bool | None = None
    """Whether the template parses texts that look like dates as dates. Defaults to true."""
    html_decode_expression: bool | None = None
    """Whether HTML entities of an expression are decoded (only the schema has this option). Defaults to false."""

    def element(self) -> ET.Element:
        """Return the policy as XML, the body as its text."""
        element = options_element(self.tag, self)
        element.text = self.value
        return element
