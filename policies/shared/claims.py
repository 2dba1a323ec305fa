"""Claims that a token must have."""

from dataclasses import dataclass
from enum import StrEnum

from policies.shared.checks import check_static
from policies.shared.errors import PolicyError
from policies.shared.options import Options, starts_expression


class ClaimMatch(StrEnum):
    """How many of the values a claim must have."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredClaim(Options):
    """Values that a claim of the token must have; they are compared exactly, including case."""

    values: list[str]
    """Values, at least one."""
    match: ClaimMatch | None = None
    """Whether the claim must have all of the values or any of them. Defaults to all."""
    separator: str | None = None
    """Character that separates the values within a text claim, such as a space in `scp`. By default it is one value."""

    def __post_init__(self) -> None:
        """Check that there is at least one value, and that all are literal text."""
        Options.__post_init__(self)
        if not self.values:
            raise PolicyError("required claim values [] is empty and would accept any value; give at least one value")
        if self.separator is not None and (not self.separator or starts_expression(self.separator)):
            raise PolicyError(
                f"required claim separator {self.separator!r} is not allowed; give the character itself, such as ' '"
            )
        for value in self.values:
            check_static("required claim values", value)
