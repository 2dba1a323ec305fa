"""`choose`: runs the policies of the first condition that is true."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.errors import PolicyError
from policies.shared.options import Options
from policies.shared.policy import Policy, TypedPolicy, options_element


@dataclass(frozen=True, kw_only=True, slots=True)
class When(Options):
    """A condition, and the policies to run if it is the first that is true."""

    condition: bool | str
    """Expression that yields a Boolean, or a constant."""
    policies: list[Policy] = field(default_factory=list)
    """Policies to run, in this order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose(TypedPolicy):
    """Runs the policies of the first condition that is true (choose)."""

    tag: ClassVar[str] = "choose"

    when: list[When]
    """Conditions in the order in which they are evaluated, at least one."""
    otherwise: list[Policy] | None = None
    """Policies to run if no condition is true. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that there is a condition."""
        TypedPolicy.__post_init__(self)
        if not self.when:
            raise PolicyError("choose when [] is empty; give at least one When")

    def children(self) -> Iterable[ET.Element]:
        """Yield the conditions, then `otherwise`."""
        for branch in self.when:
            element = options_element("when", branch)
            element.extend(policy.element() for policy in branch.policies)
            yield element
        if self.otherwise is not None:
            element = ET.Element("otherwise")
            element.extend(policy.element() for policy in self.otherwise)
            yield element

    def branches(self) -> Iterable[list[Policy]]:
        """Return the policies of each condition, then those of `otherwise`."""
        return [*(branch.policies for branch in self.when), self.otherwise or []]
