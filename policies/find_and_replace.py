"""`find-and-replace`: replaces a text in the body."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.errors import PolicyError
from policies.shared.policy import TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class FindAndReplace(TypedPolicy):
    """Replaces every occurrence of a text in the body of the request or response (find-and-replace)."""

    tag: ClassVar[str] = "find-and-replace"

    from_: str
    """Text to look for, or an expression."""
    to: str
    """Replacement, or an expression; an empty text removes what is found."""

    def __post_init__(self) -> None:
        """Check that there is something to look for."""
        TypedPolicy.__post_init__(self)
        if not self.from_:
            raise PolicyError(f"{self.tag} from_ '' is empty; give the text to look for")
