"""`set-query-parameter`: adds, replaces or removes a parameter of the query string."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.set_header import ExistsAction, check_exists_action
from policies.shared.checks import check_not_blank
from policies.shared.policy import Section, TypedPolicy, text_element


@dataclass(frozen=True, kw_only=True, slots=True)
class SetQueryParameter(TypedPolicy):
    """Sets a parameter of the request's query string (set-query-parameter)."""

    tag: ClassVar[str] = "set-query-parameter"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.BACKEND})

    name: str
    """Name of the parameter, or an expression."""
    exists_action: ExistsAction | str | None = None
    """What to do when the parameter exists. Defaults to `override`."""
    values: list[str] = field(default_factory=list)
    """Values, each literal text or an expression as a whole; none only when the parameter is deleted."""

    def __post_init__(self) -> None:
        """Check that the policy sets or deletes something."""
        TypedPolicy.__post_init__(self)
        check_not_blank("set-query-parameter name", self.name)
        check_exists_action(self.tag, self.name, self.values, self.exists_action)

    def children(self) -> Iterable[ET.Element]:
        """Return the values."""
        return [text_element("value", value) for value in self.values]
