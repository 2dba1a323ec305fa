"""`set-variable`: stores a value for later policies."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import check_literal
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class SetVariable(TypedPolicy):
    """Assigns a context variable, readable as `context.Variables["name"]` (set-variable)."""

    tag: ClassVar[str] = "set-variable"

    name: str
    """Name of the variable."""
    value: str
    """Expression, or literal text, which makes a string."""

    def __post_init__(self) -> None:
        """Check that the variable has a name."""
        TypedPolicy.__post_init__(self)
        check_literal("set-variable name", self.name)
