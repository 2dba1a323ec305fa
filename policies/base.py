"""`base`: runs the policies of the parent scope."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from policies.shared.policy import ANY_SECTION, Placement, Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Base(Policy):
    """The parent scope's policies of the same section (set or edit policies)."""

    def element(self) -> ET.Element:
        """Return the policy as XML."""
        return ET.Element("base")

    def placements(self) -> Iterator[Placement]:
        """Yield the policy itself."""
        yield Placement("base", ANY_SECTION)
