"""`validate-azure-ad-token`: accepts only requests with a valid token of Microsoft Entra ID."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_url
from policies.shared.errors import PolicyError
from policies.shared.policy import list_element
from policies.shared.token_validation import TokenValidation

_TENANT = re.compile(r"(https://login\.microsoftonline\.com/)?[A-Za-z0-9.-]+/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateAzureAdToken(TokenValidation):
    """Validates a token that a Microsoft Entra tenant issued (validate-azure-ad-token).

    `audiences` or `client_application_ids` are required: without either, any token that the tenant issued, to anyone
    and for any application, would be accepted.
    """

    tag: ClassVar[str] = "validate-azure-ad-token"

    tenant_id: str
    """Tenant's ID, domain or URL; `organizations` or `common` for tokens of many tenants."""
    client_application_ids: list[str] = field(default_factory=list)
    """Client IDs of the applications that may call. Defaults to any that has a token for the audience."""
    backend_application_ids: list[str] = field(default_factory=list)
    """Client IDs of the application that the token is for. By default only `audiences` are checked."""
    authentication_endpoint: str | None = None
    """Endpoint of another cloud, such as `https://login.microsoftonline.us`. Defaults to that of the public cloud."""
    allow_protected_forwarded_tokens: bool | None = None
    """Whether protected forwarded tokens are accepted (only the schema has this option). Defaults to false."""
    allow_proof_of_possession_tokens: bool | None = None
    """Whether proof-of-possession tokens are accepted (only the schema has this option). Defaults to false."""

    def __post_init__(self) -> None:
        """Check that the policy says whose tokens and which ones."""
        TokenValidation.__post_init__(self)
        if not (self.audiences or self.client_application_ids):
            raise PolicyError(
                f"{self.tag} would accept every token of tenant {self.tenant_id!r}; "
                "give audiences or client_application_ids"
            )
        self._check_decided("tenant_id", self.tenant_id)
        if not _TENANT.fullmatch(self.tenant_id):
            raise PolicyError(
                f"{self.tag} tenant_id {self.tenant_id!r} is not a tenant; use its ID, its domain or "
                "https://login.microsoftonline.com/ with either"
            )
        self._check_decided("client_application_ids", *self.client_application_ids)
        self._check_decided("backend_application_ids", *self.backend_application_ids)
        if self.authentication_endpoint is not None:
            check_url(f"{self.tag} authentication_endpoint", self.authentication_endpoint)

    def children(self) -> Iterator[ET.Element]:
        """Yield application IDs, audiences, claims and keys."""
        yield from list_element("backend-application-ids", "application-id", self.backend_application_ids)
        yield from list_element("client-application-ids", "application-id", self.client_application_ids)
        yield from list_element("audiences", "audience", self.audiences)
        yield from self._claims()
        yield from self._keys()
