"""`authentication-basic`: the gateway presents a name and a password to the backend."""

from dataclasses import dataclass, field
from typing import ClassVar

from policies.shared.checks import check_not_blank, check_secret
from policies.shared.errors import PolicyError
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationBasic(TypedPolicy):
    """Replaces `Authorization` with Basic credentials for the backend (authentication-basic)."""

    tag: ClassVar[str] = "authentication-basic"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    username: str
    """Name, without a colon."""
    password: str = field(repr=False)
    """Named value with the password, such as `{{backend-password}}`."""

    def __post_init__(self) -> None:
        """Check the name, and that the policy's text holds no secret."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} username", self.username)
        if ":" in self.username:
            raise PolicyError(
                f"{self.tag} username {self.username!r} contains a colon, which is not allowed; remove it"
            )
        check_secret(f"{self.tag} password", self.password)
