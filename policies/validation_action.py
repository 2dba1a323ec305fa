"""What the policies that validate messages do about a mistake."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from xml.etree import ElementTree as ET


class ValidationAction(StrEnum):
    """What happens to a message that is not as the API describes it."""

    IGNORE = "ignore"
    """It is not validated."""
    PREVENT = "prevent"
    """It is refused, and the mistake logged."""
    DETECT = "detect"
    """The mistake is logged, and the message goes on."""


def action_elements(tag: str, key: str, actions: Mapping[str, str] | Mapping[int, str]) -> Iterator[ET.Element]:
    """Yield an element for each part of a message, with the action for it."""
    for part, action in actions.items():
        yield ET.Element(tag, {key: str(part), "action": action})
