"""`xml-to-json`: makes JSON of a body in XML."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.shared.policy import TypedPolicy


class JsonKind(StrEnum):
    """What the JSON looks like."""

    DIRECT = "direct"
    """As the XML is built."""
    JAVASCRIPT_FRIENDLY = "javascript-friendly"
    """In a form that JavaScript reads with ease."""


class XmlBodies(StrEnum):
    """Which bodies are converted."""

    ALWAYS = "always"
    CONTENT_TYPE_XML = "content-type-xml"
    """Those whose `Content-Type` names XML."""


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlToJson(TypedPolicy):
    """Converts the body of the request or response from XML to JSON (xml-to-json)."""

    tag: ClassVar[str] = "xml-to-json"

    kind: JsonKind | str
    """What the JSON looks like, or an expression."""
    apply: XmlBodies | str
    """Which bodies are converted, or an expression."""
    consider_accept_header: bool | str | None = None
    """Whether to convert only where the caller's `Accept` names JSON, or an expression. Defaults to true."""
    always_array_child_elements: bool | str | None = None
    """Whether every element inside another becomes an array, or an expression. Defaults to false."""
