"""`set-body`: replaces the message body."""

from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.policy import TypedPolicy, options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBody(TypedPolicy):
    """Sets the body of the request, or of the response in `outbound` and `on-error` (set-body).

    Not offered: Liquid templates, which the sandbox cannot execute; an expression does what they do.
    """

    tag: ClassVar[str] = "set-body"

    value: str = field(metadata={"content": True})
    """Literal text, or an expression as a whole."""

    def element(self) -> ET.Element:
        """Return the policy as XML, the body as its text."""
        element = options_element(self.tag, self)
        element.text = self.value
        return element
