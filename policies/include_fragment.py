"""`include-fragment`: inserts a policy fragment."""

import re
from dataclasses import dataclass
from typing import ClassVar

from policies.shared.errors import PolicyError
from policies.shared.policy import TypedPolicy

_FRAGMENT_ID = re.compile(r"\w|\w[\w-]*\w", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class IncludeFragment(TypedPolicy):
    """Inserts the policies of a policy fragment, as if they were written here (include-fragment)."""

    tag: ClassVar[str] = "include-fragment"

    fragment_id: str
    """Name of the fragment, literal: an expression is not allowed."""

    def __post_init__(self) -> None:
        """Check that the name can be that of a fragment."""
        TypedPolicy.__post_init__(self)
        if len(self.fragment_id) > 80 or not _FRAGMENT_ID.fullmatch(self.fragment_id):
            raise PolicyError(
                f"include-fragment fragment_id {self.fragment_id!r} is not a fragment name; "
                "use 1 to 80 letters, digits, underscores and inner hyphens"
            )
