"""`set-body`: replaces the message body."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.policy import TypedPolicy, options_element


class BodyTemplate(StrEnum):
    """How the text of a body is read."""

    NONE = "none"
    LIQUID = "liquid"


class XsiNil(StrEnum):
    """What an element marked `xsi:nil` becomes in a Liquid template."""

    BLANK = "blank"
    NULL = "null"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBody(TypedPolicy):
    """Sets the body of the request, or of the response in `outbound` and `on-error` (set-body)."""

    tag: ClassVar[str] = "set-body"

    value: str = field(metadata={"content": True})
    """Literal text, an expression as a whole, or a Liquid template."""
    template: BodyTemplate | None = None
    """How the text is read. Left out: as literal text or an expression."""
    xsi_nil: XsiNil | None = None
    """What `xsi:nil` elements become in a Liquid template. Left out: `blank`."""
    parse_date: bool | None = None
    """Whether a Liquid template reads texts that look like dates as dates. Left out: it does."""
    html_decode_expression: bool | None = None
    """Whether HTML entities in an expression are decoded first. Left out: they are not (inferred)."""

    def element(self) -> ET.Element:
        """Return the policy as XML, the body as its text."""
        element = options_element(self.tag, self)
        element.text = self.value
        return element
