"""A cloud that a test writes down."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from apim_emulator.model import (
    Account,
    Application,
    Component,
    Gateway,
    ManagedIdentity,
    ModelDeployment,
    User,
    Workspace,
)

TENANT = "11111111-1111-4111-8111-111111111111"
OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
UNKNOWN = "99999999-9999-4999-8999-999999999999"

KEYS = ("primary-key", "secondary-key")
ACCOUNT_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/contoso"
ACCOUNT = Account(
    id=ACCOUNT_ID,
    host="127.0.0.1",
    keys=KEYS,
    local_auth=True,
    deployments=(
        ModelDeployment(name="chat", model="gpt-4o", version="2024-11-20"),
        ModelDeployment(name="reasoning", model="gpt-5.6-luna", version="2026-07-09"),
        ModelDeployment(name="instruct", model="gpt-35-turbo-instruct", version="0914"),
        ModelDeployment(name="small", model="text-embedding-3-small", version="1"),
        ModelDeployment(name="ada", model="text-embedding-ada-002", version="2"),
    ),
)
KEYLESS_ACCOUNT = Account(
    id=ACCOUNT_ID + "-keyless",
    host="keyless.openai.azure.com",
    keys=("keyless-primary", ""),
    deployments=(ModelDeployment(name="chat", model="gpt-4o"),),
)

CLIENT = Application(
    tenant_id=TENANT,
    client_id="aaaaaaaa-0000-4000-8000-000000000001",
    display_name="caller",
    service_principal_id="aaaaaaaa-0000-4000-8000-000000000002",
    secrets=("client-secret", "rotated-secret"),
)
API = Application(
    tenant_id=TENANT,
    client_id="bbbbbbbb-0000-4000-8000-000000000001",
    display_name="openai-api",
    service_principal_id="bbbbbbbb-0000-4000-8000-000000000002",
    identifier_uris=("api://openai",),
    app_roles={"role-1": "Chat.User", "role-2": "Chat.Admin"},
    scopes=frozenset({"chat", "embed", "admin"}),
    granted={(CLIENT.client_id, None): frozenset({"chat", "embed"})},
)
V1_API = Application(
    tenant_id=TENANT,
    client_id="cccccccc-0000-4000-8000-000000000001",
    display_name="legacy-api",
    service_principal_id="cccccccc-0000-4000-8000-000000000002",
    identifier_uris=("api://legacy",),
    scopes=frozenset({"chat"}),
    granted={(CLIENT.client_id, "ffffffff-0000-4000-8000-000000000001"): frozenset({"chat"})},
    token_version=1,
)
FOREIGN_API = Application(
    tenant_id=OTHER_TENANT,
    client_id="dddddddd-0000-4000-8000-000000000001",
    display_name="foreign-api",
    service_principal_id="dddddddd-0000-4000-8000-000000000002",
    identifier_uris=("api://foreign",),
)
USER = User(
    tenant_id=TENANT,
    object_id="ffffffff-0000-4000-8000-000000000001",
    name="ada@contoso.com",
    password="user-password",
)

IDENTITY = ManagedIdentity(
    principal_id="eeeeeeee-0000-4000-8000-000000000001",
    client_id="eeeeeeee-0000-4000-8000-000000000002",
    system_assigned=True,
)


@dataclass
class FakeControlPlane:
    """Answers from fields that a test may change between requests."""

    tenants: list[str] = field(default_factory=lambda: [TENANT, OTHER_TENANT])
    apps: list[Application] = field(default_factory=lambda: [CLIENT, API, V1_API, FOREIGN_API])
    openai: list[Account] = field(default_factory=lambda: [ACCOUNT, KEYLESS_ACCOUNT])
    roles: set[tuple[str, str, str]] = field(default_factory=set)
    logs: list[Workspace] = field(default_factory=list)
    insights: list[Component] = field(default_factory=list)

    def gateways(self) -> Sequence[Gateway]:
        return [Gateway(name="apim", sku="BasicV2", apis=(), identities=(IDENTITY,))]

    def accounts(self) -> Sequence[Account]:
        return self.openai

    def workspaces(self) -> Sequence[Workspace]:
        return self.logs

    def components(self) -> Sequence[Component]:
        return self.insights

    def applications(self) -> Sequence[Application]:
        return self.apps

    def users(self) -> Sequence[User]:
        return [USER]

    def tenant_ids(self) -> Sequence[str]:
        return self.tenants

    def identity_tenant(self, principal_id: str) -> str | None:
        return TENANT if principal_id == IDENTITY.principal_id else None

    def has_role(self, principal_id: str, role_id: str, scope: str) -> bool:
        return (principal_id, role_id, scope) in self.roles
