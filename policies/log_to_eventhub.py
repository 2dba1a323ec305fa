"""`log-to-eventhub`: sends a message to an event hub."""

from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.checks import INT_MAX, check_literal, check_range
from policies.errors import PolicyError
from policies.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class LogToEventHub(TypedPolicy):
    """Sends a message to the event hub of a logger; never changes the response (log-to-eventhub).

    Whoever may read the event hub reads what it says, so no secrets.
    """

    tag: ClassVar[str] = "log-to-eventhub"

    logger_id: str
    """Logger of the service, literal."""
    partition_id: int | None = None
    """Index of the partition, from 0. Left out: `partition_key` or the event hub decides."""
    partition_key: str | None = None
    """Value that decides the partition, or an expression. Left out: `partition_id` or the event hub decides."""
    value: str = field(metadata={"content": True})
    """Message, or an expression. The gateway cuts it off at 200 KB."""

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
