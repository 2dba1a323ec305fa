"""`validate-azure-ad-token`: lets a request pass only with a valid token of Microsoft Entra ID."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.checks import check_url
from policies.errors import PolicyError
from policies.policy import list_element
from policies.token_validation import TokenValidation


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateAzureAdToken(TokenValidation):
    """Validates a token that a Microsoft Entra tenant issued (validate-azure-ad-token).

    At least one of `audiences`, `client_application_ids` and `backend_application_ids` is needed: without any, a token
    that the tenant issued to anyone for anything would pass.
    """

    tag: ClassVar[str] = "validate-azure-ad-token"

    tenant_id: str
    """Tenant's ID, domain or URL; `organizations` or `common` for tokens of many tenants."""
    client_application_ids: list[str] = field(default_factory=list)
    """Client IDs of the applications that may call. Left out: any that has a token for the audience."""
    backend_application_ids: list[str] = field(default_factory=list)
    """Client IDs of the application that the token is for. Left out: `audiences` says."""
    authentication_endpoint: str | None = None
    """Endpoint of another cloud's Microsoft Entra ID. Left out: `https://login.microsoftonline.com`."""
    allow_protected_forwarded_tokens: bool | None = None
    """Whether protected forwarded tokens are accepted. Left out: they are not (inferred)."""
    allow_proof_of_possession_tokens: bool | None = None
    """Whether proof-of-possession tokens are accepted. Left out: they are not (inferred)."""

    def __post_init__(self) -> None:
        """Check that the policy says whose tokens and which ones."""
        TokenValidation.__post_init__(self)
        if not (self.audiences or self.client_application_ids or self.backend_application_ids):
            raise PolicyError(
                f"{self.tag} would accept every token of tenant {self.tenant_id!r}; "
                "give audiences, client_application_ids or backend_application_ids"
            )
        self._check_decided("tenant_id", self.tenant_id)
        self._check_decided("client_application_ids", *self.client_application_ids)
        self._check_decided("backend_application_ids", *self.backend_application_ids)
        if self.authentication_endpoint is not None:
            check_url(f"{self.tag} authentication_endpoint", self.authentication_endpoint)
        if any(key.certificate_id is None for key in self.decryption_keys):
            raise PolicyError(
                f"{self.tag} decryption_keys has a key without certificate_id; give the certificate's name"
            )

    def children(self) -> Iterator[ET.Element]:
        """Yield application IDs, audiences, claims and keys."""
        yield from list_element("backend-application-ids", "application-id", self.backend_application_ids)
        yield from list_element("client-application-ids", "application-id", self.client_application_ids)
        yield from list_element("audiences", "audience", self.audiences)
        yield from self._claims()
        yield from self._decryption_keys()
