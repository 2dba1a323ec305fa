"""`set-header`: adds, replaces or removes a header."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_header_name, check_header_value
from policies.shared.errors import PolicyError
from policies.shared.options import is_expression
from policies.shared.policy import TypedPolicy, text_element

NAMED_VALUE = "openai-api-key"
"""Name of the named value with the Azure OpenAI key in Microsoft's article."""

_UNTOUCHABLE = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_UNDELETABLE = frozenset({"server", "x-forwarded-for"})


class ExistsAction(StrEnum):
    """What happens if the header or query parameter already exists."""

    OVERRIDE = "override"
    APPEND = "append"
    SKIP = "skip"
    DELETE = "delete"


def check_exists_action(policy: str, name: str, values: list[str], action: ExistsAction | str | None) -> None:
    """Refuse values together with deletion, and an action that needs values without them."""
    if action == ExistsAction.DELETE and values:
        raise PolicyError(f"{policy} {name!r} has values, but its exists_action is delete; remove one of them")
    if not values and not is_expression(action) and action != ExistsAction.DELETE:
        raise PolicyError(
            f"{policy} {name!r} has no values; give one, or exists_action=ExistsAction.DELETE to remove it"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SetHeader(TypedPolicy):
    """Sets a header of the request, or of the response in `outbound` and `on-error` (set-header)."""

    tag: ClassVar[str] = "set-header"

    name: str
    """Name of the header, or an expression."""
    exists_action: ExistsAction | str | None = None
    """What to do when the header exists. Defaults to `override`."""
    values: list[str] = field(default_factory=list)
    """Values, each literal text or an expression as a whole; none only when the header is deleted."""

    def __post_init__(self) -> None:
        """Check that the gateway can set such a header."""
        TypedPolicy.__post_init__(self)
        check_header_name("set-header name", self.name)
        check_exists_action(self.tag, self.name, self.values, self.exists_action)
        if self.name.lower() in _UNTOUCHABLE:
            raise PolicyError(f"set-header name {self.name!r} is not allowed; the gateway alone sets this header")
        if self.name.lower() in _UNDELETABLE and self.exists_action == ExistsAction.DELETE:
            raise PolicyError(
                f"set-header name {self.name!r} with exists_action delete is not allowed; override it instead"
            )
        for value in self.values:
            check_header_value(f"set-header values of {self.name!r}", value)

    def children(self) -> Iterable[ET.Element]:
        """Return the values."""
        return [text_element("value", value) for value in self.values]
