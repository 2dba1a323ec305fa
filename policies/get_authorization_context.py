"""`get-authorization-context`: gets the token that the service stores for another provider."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.shared.checks import check_literal, check_not_blank
from policies.shared.errors import PolicyError
from policies.shared.policy import ANY_SECTION, Section, TypedPolicy


class IdentityType(StrEnum):
    """Whose access to the authorization is checked."""

    MANAGED = "managed"
    """That of the service's managed identity."""
    JWT = "jwt"
    """That of the token in `identity`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GetAuthorizationContext(TypedPolicy):
    """Stores the `Authorization` of a credential manager's connection in a variable (get-authorization-context)."""

    tag: ClassVar[str] = "get-authorization-context"
    sections: ClassVar[frozenset[Section]] = ANY_SECTION - {Section.ON_ERROR}

    provider_id: str
    """Credential provider, or an expression."""
    authorization_id: str
    """Connection of the provider, or an expression."""
    context_variable_name: str
    """Variable that receives the `Authorization`, whose `AccessToken` is the token."""
    identity_type: IdentityType | str | None = None
    """Whose access is checked, or an expression. Defaults to that of the service's managed identity."""
    identity: str | None = None
    """Expression that yields a Microsoft Entra token; required with `IdentityType.JWT`."""
    ignore_error: bool | str | None = None
    """Whether the variable becomes `null` if there is no token, or an expression. Defaults to false: `on-error`
    runs."""

    def __post_init__(self) -> None:
        """Check the names, and that a token is given if one is needed."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} provider_id", self.provider_id)
        check_not_blank(f"{self.tag} authorization_id", self.authorization_id)
        check_literal(f"{self.tag} context_variable_name", self.context_variable_name)
        check_not_blank(f"{self.tag} identity", self.identity)
        if self.identity is None and self.identity_type is IdentityType.JWT:
            raise PolicyError(f"{self.tag} has identity_type jwt without identity; give the token whose access counts")
