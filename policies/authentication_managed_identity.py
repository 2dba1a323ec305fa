"""`authentication-managed-identity`: gets a token for the gateway's own identity."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import check_not_blank, check_output_names
from policies.shared.policy import Section, TypedPolicy

COGNITIVE_SERVICES = "https://cognitiveservices.azure.com"
"""Resource (token audience) of Azure OpenAI."""
TOKEN_VARIABLE = "managed-id-access-token"  # noqa: S105  # the name of a variable
"""Context variable that holds the token in Microsoft's article."""
BEARER_TOKEN = f'@("Bearer " + (string)context.Variables["{TOKEN_VARIABLE}"])'
"""Expression for the `Authorization` header that presents the token of `TOKEN_VARIABLE`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationManagedIdentity(TypedPolicy):
    """Obtains an access token from Microsoft Entra ID with a managed identity (authentication-managed-identity)."""

    tag: ClassVar[str] = "authentication-managed-identity"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.OUTBOUND})
    """The policy reference lists only `inbound`; the official toolkit also uses it in `outbound`."""

    resource: str = COGNITIVE_SERVICES
    """Application ID URI of the resource that the token is for."""
    client_id: str | None = None
    """Client ID of a user-assigned identity. Defaults to the system-assigned identity."""
    output_token_variable_name: str | None = TOKEN_VARIABLE
    """Variable that receives the token, for a `SetHeader` with `BEARER_TOKEN`. `None`: the gateway sets the
    `Authorization` header of the request itself."""
    ignore_error: bool | None = False
    """Whether the request goes on without a token when none is obtained. `None`: it does not."""

    def __post_init__(self) -> None:
        """Check that the token has a resource and the variable a name."""
        TypedPolicy.__post_init__(self)
        check_not_blank("authentication-managed-identity resource", self.resource)
        check_output_names(self)
