"""What the tests of this folder want to know of a typed policy: its `Record`, which stands in `records`."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import Policy
from policies.shared.options import Options
from policies.shared.policy import TypedPolicy

Drawn = st.SearchStrategy[Any]
NOTHING: Drawn = st.nothing()
Children = Callable[[ET.Element], dict[str, Any]]
DECLARED: "dict[str, Record]" = {}
"""By element name; complete once `tests.policies.records` is imported."""


@dataclass(frozen=True)
class Record:
    """What the tests know of a typed policy."""

    kind: type[TypedPolicy]
    _: KW_ONLY
    examples: tuple[Options, ...]
    """Some of the type and of its parts, from which others are made by changing fields; two where fields exclude each
    other."""
    drawn: Drawn | Callable[[Drawn], Drawn]
    """Any that the type accepts; of a policy that holds others, around those that are given."""
    renders: Mapping[str, tuple[Policy, str]]
    """XML of policies, by what it shows."""
    refuses: tuple[tuple[Callable[[], object], str], ...]
    """Options that the type, or one of its parts, refuses, and the message."""
    children: Children | None = None
    """Reads the fields that are child elements or text; by default `value` elements, or none."""

    def __post_init__(self) -> None:
        DECLARED[self.kind.tag] = self

    def policies(self, inside: Drawn = NOTHING) -> Drawn:
        """Draw any, around others where the policy holds some."""
        return self.drawn if isinstance(self.drawn, st.SearchStrategy) else self.drawn(inside)
