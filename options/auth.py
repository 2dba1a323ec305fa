"""How an API authenticates its callers, and how the gateway authenticates to Azure OpenAI."""

from enum import StrEnum


class AuthMode(StrEnum):
    """How an API authenticates its callers and itself."""

    KEY = "key"
    MANAGED_IDENTITY = "managed-identity"
    ENTRA = "entra"


class BackendAuth(StrEnum):
    """Credential that the gateway presents to Azure OpenAI behind a validated token."""

    KEY = "key"
    MANAGED_IDENTITY = "managed-identity"
