"""The options of a deployment, each written once.

One frozen dataclass is at once the shape of a stack config entry (`settings.py` validates it), the Python API of the
components and, through the component host, a type in their schema. Only the standard library and `policies` are
imported here, and no postponed annotations: the component host reads these classes at run time.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional, TypeVar

from policies import RequiredClaim

T = TypeVar("T")
if TYPE_CHECKING:
    Defaulted = Annotated[T, "may be left out"]
else:
    # The component host knows no defaults of dataclasses: it takes a field for optional only where None is allowed.
    Defaulted = Optional

API_VERSION = "2024-10-21"
"""Latest stable version of the Azure OpenAI inference definition that is dated (azure-rest-api-specs)."""

SYSTEM_ASSIGNED = "system-assigned"
USER_ASSIGNED = "user-assigned"


class AuthMode(StrEnum):
    """How an API authenticates its callers and itself."""

    KEY = "key"
    MANAGED_IDENTITY = "managed-identity"
    ENTRA = "entra"


class BackendAuth(StrEnum):
    """Credential that the gateway presents to Azure OpenAI behind a validated token."""

    KEY = "key"
    MANAGED_IDENTITY = "managed-identity"


class GatewaySku(StrEnum):
    """Pricing tier of an API Management service, as ARM spells it."""

    CONSUMPTION = "Consumption"
    DEVELOPER = "Developer"
    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"
    BASIC_V2 = "BasicV2"
    STANDARD_V2 = "StandardV2"


class KeySource(StrEnum):
    """Where the gateway keeps the Azure OpenAI key."""

    NAMED_VALUE = "named-value"
    KEY_VAULT = "key-vault"


class KeyDelivery(StrEnum):
    """How the key gets onto the request to Azure OpenAI."""

    BACKEND = "backend"
    HEADER = "header"


class VersionUpgrade(StrEnum):
    """When Azure moves a deployment to a newer version of its model."""

    NEW_DEFAULT = "OnceNewDefaultVersionAvailable"
    WHEN_EXPIRED = "OnceCurrentVersionExpired"
    NEVER = "NoAutoUpgrade"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingResource:
    """A resource that another stack or team owns."""

    name: str
    """Name of the resource."""
    resource_group: str
    """Resource group that holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayOptions:
    """The API Management service: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Service to adopt without owning it. Left out: one is created."""
    name: str | None = None
    """Name of the service to create, unique in Azure. Left out: made from the component's name and random letters."""
    sku: Defaulted[GatewaySku] = GatewaySku.BASIC_V2
    """Pricing tier. Left out: BasicV2, the smallest that is created in minutes."""
    capacity: int | None = None
    """Scale units. Left out: 1, or 0 for Consumption, which takes nothing else."""
    publisher_name: str | None = None
    """Organization shown in the developer portal and in mails. Needed to create a service."""
    publisher_email: str | None = None
    """Address that the service sends its mails from and to. Needed to create a service."""
    identity: Defaulted[str] = SYSTEM_ASSIGNED
    """`system-assigned`, `user-assigned` (one is created) or the resource ID of a user-assigned identity."""
    tags: Defaulted[dict[str, str]] = field(default_factory=dict)
    """Tags of the service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountOptions:
    """An Azure OpenAI account: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Account to adopt without owning it. Left out: one is created."""
    location: str | None = None
    """Azure region of the account to create. Left out: the stack's `azure-native:location`."""
    name: str | None = None
    """Name and subdomain, unique in Azure. Left out: made from the component's name and random letters."""
    disable_local_auth: bool | None = None
    """Whether the account refuses API keys. Left out: it does, unless an API authenticates to it by key."""
    priority: int | None = None
    """Place in the pool, 0 to 100, lower first. Left out: all accounts are equal."""
    weight: int | None = None
    """Share of the requests among accounts of one priority, 0 to 100. Left out: equal shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentOptions:
    """A model deployment, made in every account that the stack creates."""

    name: str
    """Name that callers give as the model."""
    model: str
    """Model to deploy, such as `gpt-4o`."""
    version: str | None = None
    """Version of the model. Left out: the region's default at the time."""
    sku: Defaulted[str] = "GlobalStandard"
    """Deployment SKU, such as `Standard`, `GlobalStandard` or `DataZoneStandard`."""
    capacity: Defaulted[int] = 1
    """Quota in units of the SKU: thousands of tokens per minute for the pay-as-you-go ones."""
    version_upgrade: VersionUpgrade | None = None
    """When Azure upgrades the version. Left out: Azure's default, once a new default version is available."""
    rai_policy: str | None = None
    """Content filter (responsible AI policy) of the account. Left out: Azure's default filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIOptions:
    """The Azure OpenAI accounts behind the gateway and the models that they serve."""

    accounts: Defaulted[list[AccountOptions]] = field(default_factory=lambda: [AccountOptions()])
    """One account, or several that make a load-balanced pool."""
    deployments: Defaulted[list[DeploymentOptions]] = field(default_factory=list)
    """Models deployed in each account that is created; adopted accounts keep what they have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyVaultOptions:
    """The vault that holds the Azure OpenAI key: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Vault in Azure RBAC mode to adopt without owning it. Left out: one is created."""
    name: str | None = None
    """Name of the vault to create, unique in Azure. Left out: made from the component's name and random letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOptions:
    """How the gateway keeps and presents the Azure OpenAI key."""

    source: Defaulted[KeySource] = KeySource.NAMED_VALUE
    """Secret named value, or a named value that refers to a Key Vault secret."""
    delivery: Defaulted[KeyDelivery] = KeyDelivery.BACKEND
    """Credentials of the APIM backend, or a `set-header` policy."""
    named_value: str | None = None
    """Name of the named value. Left out: the API's name and `-api-key`."""
    vault: KeyVaultOptions | None = None
    """Vault for `source: key-vault`. Left out: one is created."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingApplication:
    """An app registration that the tenant's administrators own."""

    client_id: str
    """Application (client) ID."""
    audiences: Defaulted[list[str]] = field(default_factory=list)
    """Audiences of its tokens: the client ID for v2 tokens, the application ID URI for v1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppRoleAssignmentOptions:
    """An app role given to a client's service principal."""

    principal_id: str
    """Object ID of the client's service principal or managed identity."""
    role: str
    """Value of one of the application's roles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntraOptions:
    """Microsoft Entra ID tokens that the gateway demands of callers."""

    existing: ExistingApplication | None = None
    """App registration to use. Left out: one is created."""
    tenant_id: str | None = None
    """Tenant whose tokens are accepted. Left out: the tenant of the deployment's own login."""
    roles: Defaulted[list[str]] = field(default_factory=list)
    """App roles to define; a caller needs at least one of them. Left out: no role is demanded."""
    scopes: Defaulted[list[str]] = field(default_factory=list)
    """Delegated permissions to define on the app registration."""
    client_application_ids: Defaulted[list[str]] = field(default_factory=list)
    """Client IDs of the applications that may call. Left out: any that obtains a token for the audience."""
    pre_authorized_client_ids: Defaulted[list[str]] = field(default_factory=list)
    """Client IDs that get the scopes without a consent prompt."""
    required_claims: Defaulted[dict[str, RequiredClaim]] = field(default_factory=dict)
    """Further claims that a token must carry, by claim name."""
    assignment_required: Defaulted[bool] = False
    """Whether Entra issues tokens only to principals that are assigned to the application."""
    role_assignments: Defaulted[list[AppRoleAssignmentOptions]] = field(default_factory=list)
    """App roles given to clients' service principals."""
    backend_auth: Defaulted[BackendAuth] = BackendAuth.MANAGED_IDENTITY
    """Credential that the gateway presents to Azure OpenAI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JwtOptions:
    """Tokens of any OpenID Connect provider that the gateway demands of callers."""

    openid_config_urls: list[str]
    """OpenID configuration endpoints, where the signing keys are found."""
    audiences: list[str]
    """Audiences that are accepted."""
    issuers: Defaulted[list[str]] = field(default_factory=list)
    """Issuers that are accepted. Left out: those that the OpenID configurations name."""
    required_claims: Defaulted[dict[str, RequiredClaim]] = field(default_factory=dict)
    """Further claims that a token must carry, by claim name."""
    backend_auth: Defaulted[BackendAuth] = BackendAuth.MANAGED_IDENTITY
    """Credential that the gateway presents to Azure OpenAI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiOptions:
    """An API that publishes Azure OpenAI, and where it differs from the stack's defaults."""

    name: str
    """Identifier of the API, unique within the service."""
    path: str
    """URL path below the gateway; ends in `openai` so that the OpenAI SDKs can call it."""
    auth: AuthMode | None = None
    """Left out: the stack's `auth`."""
    identity: str | None = None
    """Identity for Azure OpenAI, as in `gateway.identity`. Left out: the gateway's."""
    key: KeyOptions | None = None
    """Left out: the stack's `key`."""
    entra: EntraOptions | None = None
    """Left out: the stack's `entra`."""
    jwt: JwtOptions | None = None
    """Left out: the stack's `jwt`."""
    subscription_required: bool | None = None
    """Whether callers need a subscription key. Left out: they do, unless they present a validated token."""
    api_version: Defaulted[str] = API_VERSION
    """Stable version of the official Azure OpenAI definition to import."""
    definition_file: str | None = None
    """OpenAPI 3 document (JSON) to import in place of the official one, relative to the project."""
