"""`log-to-eventhub`: sends a message to an event hub."""

from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import INT_MAX, check_literal, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class LogToEventHub(TypedPolicy):
    """Sends a message to the event hub of a logger; does not change the response (log-to-eventhub).

    The message must not contain secrets: everyone who can read the event hub sees it.
    """

    tag: ClassVar[str] = "log-to-eventhub"

    logger_id: str
    """Logger of the service, literal."""
    partition_id: int | None = None
    """Index of the partition, from 0. By default `partition_key` or the event hub decides."""
    partition_key: str | None = None
    """Value that decides the partition, or an expression. By default `partition_id` or the event hub decides."""
    value: str = field(metadata={"content": True})
    """Message, or an expression. The gateway truncates it at 200 KB."""

    def __post_init__(self) -> None:
        """Check the logger and the partition."""
        TypedPolicy.__post_init__(self)
        check_literal(f"{self.tag} logger_id", self.logger_id)
        check_range(f"{self.tag} partition_id", self.partition_id, 0, INT_MAX)
        if self.partition_id is not None and self.partition_key is not None:
            raise PolicyError(f"{self.tag} has partition_id and partition_key; give one of them, or none")

    def element(self) -> ET.Element:
        """Return the policy as XML, with the message as its text."""
        element = TypedPolicy.element(self)
        element.text = self.value
        return element
