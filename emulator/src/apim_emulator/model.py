"""What the control plane tells the data plane: the deployed cloud as immutable values.

`apim_emulator.azure` makes these from registered resources, `apim_emulator.gateway` and `apim_emulator.services` read
them. Neither side knows the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

__all__ = [
    "Account",
    "Api",
    "Application",
    "Backend",
    "Certificate",
    "CircuitBreaker",
    "Component",
    "Connection",
    "ControlPlane",
    "Diagnostic",
    "Gateway",
    "LlmLog",
    "Logger",
    "ManagedIdentity",
    "MessageLog",
    "ModelDeployment",
    "Operation",
    "PoolMember",
    "Product",
    "Reach",
    "Subscription",
    "User",
    "Workspace",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """An operation of an imported API definition."""

    name: str
    method: str
    url_template: str
    """Path below the API's, such as `/deployments/{deployment-id}/chat/completions`, and after a question mark the
    query parameters without which a call is none of the operation's, such as `api-version={api-version}`."""
    policy: str | None = None
    policy_format: str = "xml"
    """Format of the document: `xml`, or `rawxml`, in which expressions are not escaped."""

    @property
    def path(self) -> str:
        """Path of the template, as the API's definition names it."""
        return self.url_template.partition("?")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Logger:
    """Where a diagnostic sends what it records."""

    kind: str
    """`applicationInsights`, `azureMonitor` or `azureEventHub`."""
    instrumentation_key: str | None = field(default=None, repr=False)
    """Key of the Application Insights component."""
    identity: str | None = None
    """Managed identity that sends: `SystemAssigned` or a client ID. None: the key alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageLog:
    """What a diagnostic records of a request or response."""

    headers: tuple[str, ...] = ()
    body_bytes: int = 0
    """Most bytes of the body; 0: nothing."""
    masked_headers: Mapping[str, str] = field(default_factory=dict)
    """Header, or `*` for all, -> `Mask` or `Hide`."""
    masked_query: Mapping[str, str] = field(default_factory=dict)
    """Query parameter, or `*` for all, -> `Mask` or `Hide`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmLog:
    """What a diagnostic records of calls of language models, besides their tokens."""

    prompt_bytes: int | None = None
    """Most bytes of a prompt. None: nothing of it."""
    completion_bytes: int | None = None
    """Most bytes of what a model answers. None: nothing of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """What is recorded of calls, and where it goes."""

    id: str
    """`applicationinsights` or `azuremonitor`."""
    logger: Logger
    sampling: float = 100.0
    """Percentage of calls that are recorded."""
    always_log_errors: bool = False
    """Whether failed calls are recorded whatever the sampling."""
    metrics: bool = False
    """Whether the metrics of policies are sent."""
    verbosity: str = "information"
    """Least severity of traces that are sent: `verbose`, `information` or `error`."""
    log_client_ip: bool = False
    request: MessageLog = MessageLog()
    response: MessageLog = MessageLog()
    backend_request: MessageLog = MessageLog()
    backend_response: MessageLog = MessageLog()
    llm: LlmLog | None = None
    """None: calls of language models are calls like any other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """An API with its policy document."""

    id: str
    """`apiId`, the last segment of the resource ID."""
    path: str
    operations: tuple[Operation, ...]
    subscription_required: bool = True
    key_header: str = "Ocp-Apim-Subscription-Key"
    key_query: str = "subscription-key"
    key_bearer: bool = False
    """Whether a subscription key is also accepted as `Authorization: Bearer KEY`."""
    service_url: str | None = None
    policy: str | None = None
    policy_format: str = "xml"
    definition: Mapping[str, Any] | None = field(default=None, repr=False)
    """The OpenAPI 3 document that the API was imported from; None where only its operations are known."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Its own diagnostics, each in place of the service's of the same ID."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A product: APIs that a subscription opens together."""

    id: str
    api_ids: frozenset[str]
    subscription_required: bool = True
    published: bool = True
    policy: str | None = None
    policy_format: str = "xml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A subscription and its two keys."""

    id: str
    scope: str
    """`/apis` (all), `/apis/{apiId}` or `/products/{productId}`, whatever form the resource gave it in."""
    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    active: bool = True
    unasked: bool = False
    """Whether the service made it by itself, as it does with each product."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolMember:
    """A backend's place in a pool."""

    backend_id: str
    priority: int = 0
    weight: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitBreaker:
    """When a backend is taken out of service, and for how long: the one rule that a backend may have."""

    interval: float
    """Seconds within which failures are counted."""
    trip_duration: float
    """Seconds out of service."""
    count: int | None = None
    """Failures that trip it; either this or `percentage`."""
    percentage: int | None = None
    """Share of failed calls that trips it, 1 to 100."""
    status_codes: tuple[tuple[int, int], ...] = ()
    """Ranges of status codes that are failures, both ends included."""
    error_reasons: tuple[str, ...] = ()
    """`LastError.Reason`s of calls without a response that are failures, such as `Timeout`."""
    accept_retry_after: bool = False
    """Whether the `Retry-After` of the response that trips it replaces `trip_duration`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendIdentity:
    """The managed identity with which the gateway authenticates to a backend."""

    resource: str
    """Audience of its tokens."""
    client_id: str | None = None
    """Client ID of a user-assigned identity. None: the system-assigned one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backend:
    """A backend: one URL, or a pool of other backends."""

    id: str
    url: str | None = None
    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Credential headers, before named values are put in."""
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    identity: BackendIdentity | None = None
    """Whose token is the `Authorization` of a call to the backend."""
    certificates: tuple[str, ...] = ()
    """IDs or thumbprints of the service's certificates; the first that it has is presented (inferred: the first)."""
    members: tuple[PoolMember, ...] = ()
    circuit_breaker: CircuitBreaker | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """A certificate of a service, as a rule with its private key."""

    id: str
    """What `certificate-id` names."""
    data: bytes = field(repr=False)
    """PEM, DER or PKCS #12."""
    password: str | None = field(default=None, repr=False)
    """Of PKCS #12, or of a private key in PEM."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A connection of credential manager, formerly an authorization: what the service has of another provider."""

    provider_id: str
    id: str
    """What `authorization-id` names."""
    access_token: str = field(repr=False)
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What else the authorization server answered (RFC 6749, 5.1)."""
    access: frozenset[str] | None = None
    """Object IDs of those whom its access policies name. None: whoever asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagedIdentity:
    """A managed identity of the gateway."""

    principal_id: str
    client_id: str
    system_assigned: bool


class Reach(StrEnum):
    """What becomes of a connection to a gateway, which depends on where it comes from."""

    ANSWERED = "answered"
    FORBIDDEN = "forbidden"
    """The gateway answers 403 without looking at the call: it has no public access."""
    UNREACHABLE = "unreachable"
    """There is no connection: the gateway's name does not lead there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A deployed API Management service, all that its gateway needs to serve."""

    name: str
    sku: str
    apis: tuple[Api, ...]
    subscriptions: tuple[Subscription, ...] = ()
    products: tuple[Product, ...] = ()
    backends: tuple[Backend, ...] = ()
    identities: tuple[ManagedIdentity, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    """`context.Deployment.Certificates`, and what `authentication-certificate` presents to backends."""
    ca_certificates: tuple[bytes, ...] = ()
    """CA certificates in PEM or DER: callers' certificates must lead to one of them that issued itself."""
    connections: tuple[Connection, ...] = ()
    """What `get-authorization-context` finds."""
    named_values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By display name; Key Vault references are already resolved."""
    secret_names: frozenset[str] = frozenset()
    """Display names of the secret ones: their values are masked in traces."""
    fragments: Mapping[str, str] = field(default_factory=dict)
    raw_fragments: frozenset[str] = frozenset()
    """Names of the fragments whose format is `rawxml`."""
    semantic_cache: bool = True
    """Whether there is an external cache that can be searched by meaning. Without one each semantic look-up fails."""
    policy: str | None = None
    """Policy of the global scope."""
    policy_format: str = "xml"
    hostnames: tuple[str, ...] = ()
    """Host names of the gateway, in lower case, the default first. By default `NAME.azure-api.net`."""
    private_hosts: frozenset[str] = frozenset()
    """Hosts that the gateway resolves to private endpoints, in lower case; all others to public addresses."""
    from_internet: Reach = Reach.ANSWERED
    """What becomes of connections from the internet."""
    from_network: Reach = Reach.ANSWERED
    """What becomes of connections from the gateway's own virtual network; from the internet, if it has none."""
    resource_id: str = ""
    """ID of the service in Azure Resource Manager."""
    location: str = ""
    """Azure region of the service."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Diagnostics of all APIs."""
    log_workspaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Category of resource logs, such as `GatewayLogs` -> IDs of the Log Analytics workspaces that get them."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names of the gateway, the default one first."""
        return self.hostnames or (f"{self.name.lower() or 'gateway'}.azure-api.net",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A Log Analytics workspace."""

    id: str
    retention: float
    """Days for which a row is kept."""
    tables: Mapping[str, float] = field(default_factory=dict)
    """Tables with another retention, in days."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """An Application Insights component, which keeps its data in a workspace."""

    id: str
    instrumentation_key: str = field(repr=False)
    workspace_id: str
    local_auth: bool = True
    """Whether the instrumentation key alone lets data in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelDeployment:
    """A model deployment of an account."""

    name: str
    model: str
    version: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An account of Azure AI services, all that its endpoints need to serve."""

    id: str
    host: str
    """Host of Azure OpenAI's operations, `NAME.openai.azure.com`, from the custom subdomain."""
    safety_host: str | None = None
    """Host of Azure AI Content Safety's operations, `NAME.cognitiveservices.azure.com`. None: it has none."""
    keys: tuple[str, str] = field(repr=False)
    local_auth: bool = False
    public_access: bool = True
    """Whether it answers callers that do not come through a private endpoint."""
    deployments: tuple[ModelDeployment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """An app registration with its service principal."""

    tenant_id: str
    client_id: str
    display_name: str
    service_principal_id: str
    """Object ID of the service principal."""
    identifier_uris: tuple[str, ...] = ()
    app_roles: Mapping[str, str] = field(default_factory=dict)
    """Role ID -> value."""
    scopes: frozenset[str] = frozenset()
    """Values of the delegated permissions that it defines."""
    granted: Mapping[tuple[str, str | None], frozenset[str]] = field(default_factory=dict)
    """Scopes that clients have without asking a user: (client ID, object ID of the user or None for all) -> values."""
    token_version: int = 2
    assignment_required: bool = False
    assignments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Roles of this application held by other principals: object ID -> role values."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Client secrets with which the application itself may obtain tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person of a tenant."""

    tenant_id: str
    object_id: str
    name: str
    """User principal name, such as `ada@contoso.com`."""
    password: str = field(repr=False)


class ControlPlane(Protocol):
    """Questions that the data plane asks the deployed cloud; each answer is the state at that moment."""

    def gateways(self) -> Sequence[Gateway]:
        """All API Management services."""

    def accounts(self) -> Sequence[Account]:
        """All Azure OpenAI accounts."""

    def workspaces(self) -> Sequence[Workspace]:
        """All Log Analytics workspaces."""

    def components(self) -> Sequence[Component]:
        """All Application Insights components."""

    def applications(self) -> Sequence[Application]:
        """All app registrations of all tenants."""

    def users(self) -> Sequence[User]:
        """All people of all tenants."""

    def tenant_ids(self) -> Sequence[str]:
        """All tenants."""

    def identity_tenant(self, principal_id: str) -> str | None:
        """Tenant of a managed identity, None where there is no such identity."""

    def has_role(self, principal_id: str, role_id: str, scope: str) -> bool:
        """Whether a principal holds a role (GUID of the definition) on a resource ID or a scope above it."""
