"""Claims that a token must carry."""

from dataclasses import dataclass
from enum import StrEnum

from policies.checks import check_decided
from policies.errors import PolicyError
from policies.options import Options, starts_expression


class ClaimMatch(StrEnum):
    """How many of the values a claim must hold."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredClaim(Options):
    """Values that a claim of the token must hold, compared exactly, case included."""

    values: list[str]
    """Values, at least one."""
    match: ClaimMatch | None = None
    """Whether the claim must hold all of the values or any. Left out: all of them."""
    separator: str | None = None
    """Character that separates the values within a text claim, such as a space in `scp`. Left out: one value."""

    def __post_init__(self) -> None:
        """Check that the claim demands something that is known now."""
        Options.__post_init__(self)
        if not self.values:
            raise PolicyError("required claim values [] is empty and would let any value in; give at least one value")
        if self.separator is not None and (not self.separator or starts_expression(self.separator)):
            raise PolicyError(
                f"required claim separator {self.separator!r} is not allowed; give the character itself, such as ' '"
            )
        for value in self.values:
            check_decided("required claim values", value)
