"""What policies that validate messages do with an invalid one."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal
from policies.shared.errors import PolicyError


class ValidationAction(StrEnum):
    """What happens to a message that does not match the API's description."""

    IGNORE = "ignore"
    """It is not validated."""
    PREVENT = "prevent"
    """It is refused, and the error is logged."""
    DETECT = "detect"
    """The error is logged, and the message passes."""


def check_names(what: str, names: Iterable[str]) -> None:
    """Refuse names that are blank, expressions, or repeated in any case."""
    seen: set[str] = set()
    for name in names:
        check_literal(f"{what} name", name)
        if name.lower() in seen:
            raise PolicyError(f"{what} has {name!r} twice, ignoring case; keep one")
        seen.add(name.lower())


def action_elements(tag: str, key: str, actions: Mapping[str, str] | Mapping[int, str]) -> Iterator[ET.Element]:
    """Yield an element for each part of a message, with its action."""
    for part, action in actions.items():
        yield ET.Element(tag, {key: str(part), "action": action})
