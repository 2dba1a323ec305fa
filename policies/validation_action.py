"""What the policies that validate messages do about a mistake."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from xml.etree import ElementTree as ET

from policies.checks import check_literal
from policies.errors import PolicyError


class ValidationAction(StrEnum):
    """What happens to a message that is not as the API describes it."""

    IGNORE = "ignore"
    """It is not validated."""
    PREVENT = "prevent"
    """It is refused, and the mistake logged."""
    DETECT = "detect"
    """The mistake is logged, and the message goes on."""


def check_parts(what: str, names: Iterable[str]) -> None:
    """Refuse a name that is empty or an expression, and one that stands twice, whatever its case."""
    met: set[str] = set()
    for name in names:
        check_literal(f"{what} name", name)
        if name.lower() in met:
            raise PolicyError(f"{what} has {name!r} twice, as case does not count; keep one")
        met.add(name.lower())


def action_elements(tag: str, key: str, actions: Mapping[str, str] | Mapping[int, str]) -> Iterator[ET.Element]:
    """Yield an element for each part of a message, with the action for it."""
    for part, action in actions.items():
        yield ET.Element(tag, {key: str(part), "action": action})
