"""`trace`: adds a message to traces and logs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal, check_not_blank
from policies.shared.policy import TypedPolicy, text_element


class TraceSeverity(StrEnum):
    """Severity of a trace, from the lowest."""

    VERBOSE = "verbose"
    INFORMATION = "information"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace(TypedPolicy):
    """Adds a message to the request's trace, Application Insights and resource logs (trace).

    The message must not contain secrets: everyone who can read those sees it.
    """

    tag: ClassVar[str] = "trace"

    source: str
    """Where the message comes from, literal."""
    severity: TraceSeverity | None = None
    """Severity, which decides whether a log records the message. Defaults to `verbose`."""
    message: str = field(metadata={"content": True})
    """Message, or an expression."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Properties of the message, by name; names and values may be expressions. Defaults to none."""

    def __post_init__(self) -> None:
        """Check source and names."""
        TypedPolicy.__post_init__(self)
        check_literal(f"{self.tag} source", self.source)
        for name in self.metadata:
            check_not_blank(f"{self.tag} metadata name", name)

    def children(self) -> Iterator[ET.Element]:
        """Yield the message, then its properties."""
        yield text_element("message", self.message)
        for name, value in self.metadata.items():
            yield ET.Element("metadata", name=name, value=value)
