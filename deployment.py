"""How the components of a deployment are put together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypedDict

import pulumi
from pulumi_azure_native import resources

from components import (
    Alerts,
    ApiGateway,
    ContentSafety,
    EntraProtectedApi,
    KeyAuthApi,
    ManagedIdentityApi,
    Observability,
    OpenAIAccount,
    OpenAIBackend,
    PrivateEndpoints,
    PrivateNetwork,
    PrivateNetworkArgs,
    Team,
    TeamApi,
    Workbook,
)
from components._endpoints import ACCOUNT_ZONES, GATEWAY_ZONE, REDIS_ZONE, SAFETY_ZONES, VAULT_ZONE
from options import (
    SYSTEM_ASSIGNED,
    AuthMode,
    BackendAuth,
    BreakerOptions,
    CacheOptions,
    GatewaySku,
    KeyDelivery,
    LimitOptions,
    MetricsOptions,
    ModelOptions,
    NetworkMode,
    ObservabilityOptions,
    PolicyOptions,
    RetryOptions,
    SafetyAccountOptions,
    SafetyOptions,
    Surface,
    TeamOptions,
    TokenPolicies,
    TokenQuota,
)
from options.limits import quota_headers
from options.models import targets
from options.openai import account_keys, unique_keys
from options.prices import models_by_deployment
from settings import ApiSettings, Settings


class _Common(TypedDict):
    """The inputs that the API components of all auth modes share."""

    resource_group_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    subscription_id: str | None
    name_prefix: str
    sku: pulumi.Input[str]
    path: pulumi.Input[str]
    display_name: pulumi.Input[str]
    own_subscription: bool
    backend_id: pulumi.Input[str]
    accounts: list[OpenAIAccount]
    principal_id: pulumi.Input[str]
    identity_client_id: pulumi.Input[str | None]
    surface: Surface
    api_version: pulumi.Input[str | None]
    operations: list[str] | None
    own_responses: bool
    definition: pulumi.Input[str | None]
    safety: SafetyOptions | None
    safety_backend_id: pulumi.Input[str | None]
    cache: CacheOptions | None
    embeddings_backend_id: pulumi.Input[str | None]
    policy: PolicyOptions | None
    breaker: BreakerOptions
    retry: RetryOptions | None
    timeout: int | None
    models: list[ModelOptions] | None
    include_usage: bool
    limits: list[LimitOptions]
    metrics: MetricsOptions | None
    token_policies: TokenPolicies


PublishedApi = KeyAuthApi | ManagedIdentityApi | EntraProtectedApi


def identities(settings: Settings) -> list[str]:
    """Return the identities that APIs use; their caches ask for embeddings as the system-assigned one."""
    return [*(api.identity for api in settings.apis), *([SYSTEM_ASSIGNED] if embeddings(settings) else [])]


def embeddings(settings: Settings) -> dict[str, list[str]]:
    """Return the deployments whose embeddings the APIs' caches compare, by account."""
    found: dict[str, list[str]] = {}
    for api in settings.apis:
        if api.cache is not None and api.embeddings_account is not None:
            deployments = found.setdefault(api.embeddings_account, [])
            if api.cache.embeddings not in deployments:
                deployments.append(api.cache.embeddings)
    return found


def private_network(settings: Settings, resource_group_name: pulumi.Input[str]) -> PrivateNetwork | None:
    """Create or adopt the virtual network with the DNS zones that the deployment needs, or none if it is public."""
    if settings.network.mode is NetworkMode.PUBLIC:
        return None
    gateway = settings.gateway
    further = [location.subnet for location in gateway.additional_locations if location.subnet is not None]
    args: PrivateNetworkArgs = {
        "resource_group_name": resource_group_name,
        "network": settings.network,
        "zones": _zones(settings),
        "further_subnet_ids": further,
    }
    if gateway.existing is None:
        args["sku"] = gateway.sku
    return PrivateNetwork("network", args)


def _zones(settings: Settings) -> list[str]:
    """Return the private DNS zones of what is created."""
    accounts = any(account.existing is None for account in settings.openai.accounts)
    safety = any(account.existing is None for account in safety_accounts(settings).values())
    return list(
        dict.fromkeys(
            [
                *(SAFETY_ZONES if safety else ()),
                *(ACCOUNT_ZONES if accounts else ()),
                *([GATEWAY_ZONE] if settings.network.inbound_endpoint else ()),
                *([REDIS_ZONE] if _creates_redis(settings) else ()),
                *([VAULT_ZONE] if _creates_vault(settings) else ()),
            ]
        )
    )


def _creates_vault(settings: Settings) -> bool:
    teams = any(team.keys and team.keys.vault and not team.keys.existing for team in settings.teams)
    return teams or any(api.creates_vault for api in settings.apis)


def _creates_redis(settings: Settings) -> bool:
    return settings.redis is not None and not (settings.redis.connected or settings.redis.existing)


def endpoints_in(network: PrivateNetwork | None, settings: Settings) -> PrivateEndpoints | None:
    """Return where private endpoints go, or None if the deployment is public."""
    if network is None:
        return None
    return PrivateEndpoints(
        subnet_id=network.endpoint_subnet_id,
        location=network.location,
        zone_ids=network.zone_ids,
        public_access=settings.network.public_access,
    )


def identity_users(settings: Settings, gateway: ApiGateway) -> dict[str, pulumi.Input[str]]:
    """Return the object IDs of the identities with which APIs call Azure OpenAI, by identity.

    The key is `system-assigned`, `user-assigned` or the full resource ID.
    """
    users: dict[str, pulumi.Input[str]]
    users = {user: gateway.identities[apis[0].identity].principal_id for user, apis in _users(settings).items()}
    if embeddings(settings):
        users.setdefault(SYSTEM_ASSIGNED, gateway.identities[SYSTEM_ASSIGNED].principal_id)
    return users


def identity_accounts(settings: Settings) -> dict[str, list[str]]:
    """Return the accounts that each of these identities calls, by identity."""
    accounts = {user: [name for api in apis for name in api.accounts] for user, apis in _users(settings).items()}
    for name in embeddings(settings):
        accounts.setdefault(SYSTEM_ASSIGNED, []).append(name)
    return {user: list(dict.fromkeys(names)) for user, names in accounts.items()}


def _users(settings: Settings) -> dict[str, list[ApiSettings]]:
    """Group the APIs that call Azure OpenAI with an identity by identity; Azure ignores case in resource IDs."""
    users: dict[str, list[ApiSettings]] = {}
    for api in settings.apis:
        if api.backend_auth is BackendAuth.MANAGED_IDENTITY:
            same = next((user for user in users if user.lower() == api.identity.lower()), api.identity)
            users.setdefault(same, []).append(api)
    return users


def account_pools(settings: Settings) -> dict[str, list[str]]:
    """Return the accounts of each API that shares the common backends but not all of them, by the API's name."""
    everything = tuple(account_keys(settings.openai.accounts))
    return {
        api.name: list(api.accounts)
        for api in settings.apis
        if set(api.accounts) != set(everything) and not _has_own_backends(api)
    }


def surfaces(settings: Settings) -> list[Surface]:
    """Return the surfaces that the APIs publish, each once."""
    return list(dict.fromkeys(api.surface for api in settings.apis))


def pool_surfaces(settings: Settings) -> dict[str, Surface]:
    """Return the surface of each of the pools of `account_pools`, by the API's name."""
    pools = account_pools(settings)
    return {api.name: api.surface for api in settings.apis if api.name in pools}


def _has_own_backends(api: ApiSettings) -> bool:
    return api.key is not None and api.key.delivery is KeyDelivery.BACKEND


def safety_accounts(settings: Settings) -> dict[str, SafetyAccountOptions]:
    """Return the accounts that check content, each once, by the name of its component."""
    accounts = list(dict.fromkeys(account for api in settings.apis if (account := api.safety_account) is not None))
    names = [account.existing.name if account.existing else account.name or account.location for account in accounts]
    keys = unique_keys("content-safety" if name is None else f"content-safety-{name}" for name in names)
    return dict(zip(keys, accounts, strict=True))


def publish(
    api: ApiSettings,
    gateway: ApiGateway,
    openai: OpenAIBackend,
    safety: ContentSafety | None,
    *,
    breaker: BreakerOptions,
    vault_resource_group_name: pulumi.Input[str],
    private_endpoints: PrivateEndpoints | None,
    protect: bool,
) -> PublishedApi:
    """Create the component for the API's auth mode."""
    identity = gateway.identities[api.identity]
    common: _Common = {
        "resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "subscription_id": gateway.subscription_id,
        "name_prefix": gateway.name_prefix,
        "sku": gateway.sku,
        "path": api.path,
        "display_name": f"{api.name} ({pulumi.get_project()}/{pulumi.get_stack()})",
        "own_subscription": api.own_subscription,
        "backend_id": openai.pools.get(api.name) or openai.backends[api.surface],
        "accounts": [account for account in openai.accounts if account.key in api.accounts],
        "principal_id": identity.principal_id,
        "identity_client_id": identity.client_id,
        "surface": api.surface,
        "api_version": api.api_version,
        "operations": api.operations,
        "own_responses": api.own_responses,
        "definition": api.definition,
        "safety": api.safety and replace(api.safety, account=None),
        "safety_backend_id": None if safety is None else safety.backend_id,
        "cache": api.cache,
        "embeddings_backend_id": None
        if api.cache is None
        else openai.embeddings[f"{api.embeddings_account}/{api.cache.embeddings}"],
        "policy": api.policy,
        "breaker": breaker,
        "retry": api.retry,
        "timeout": api.timeout,
        "models": api.models,
        "include_usage": api.include_usage,
        "limits": list(api.limits),
        "metrics": api.metrics,
        "token_policies": api.token_policies,
    }
    routes: dict[str, pulumi.Input[str]] = {
        **(openai.pool_routes[api.name] if api.name in openai.pools else openai.routes[api.surface])
    }
    if api.auth is AuthMode.KEY:
        return KeyAuthApi(
            api.name,
            {
                **common,
                "bearer_keys": api.bearer_keys,
                "key": api.key,
                "vault_resource_group_name": vault_resource_group_name,
                "private_endpoints": private_endpoints,
                "protect": protect,
            },
        )
    if api.auth is AuthMode.MANAGED_IDENTITY:
        return ManagedIdentityApi(
            api.name,
            {
                **common,
                "bearer_keys": api.bearer_keys,
                "deployment_backend_ids": routes,
                "role_assignment_ids": openai.role_assignment_ids,
            },
        )
    return EntraProtectedApi(
        api.name,
        {
            **common,
            "deployment_backend_ids": routes,
            "entra": api.entra,
            "jwt": api.jwt,
            "identity_providers": api.identity_providers,
            "key": api.key,
            "role_assignment_ids": openai.role_assignment_ids,
            "subscription_required": api.subscription_required,
            "vault_resource_group_name": vault_resource_group_name,
            "private_endpoints": private_endpoints,
            "protect": protect,
        },
    )


def admit(
    team: TeamOptions,
    settings: Settings,
    gateway: ApiGateway,
    published: Mapping[str, PublishedApi],
    *,
    vault_resource_group_name: pulumi.Input[str],
    private_endpoints: PrivateEndpoints | None,
) -> Team:
    """Create the component of a team, which may call some of the `published` APIs."""
    by_name = {api.name: api for api in settings.apis}
    return Team(
        team.name,
        {
            "resource_group_name": gateway.resource_group_name,
            "service_name": gateway.service_name,
            "subscription_id": gateway.subscription_id,
            "name_prefix": gateway.name_prefix,
            "sku": gateway.sku,
            "display_name": f"{team.name} ({pulumi.get_project()}/{pulumi.get_stack()})",
            "apis": [_team_api(by_name[name], published[name]) for name in team.apis],
            "models": team.models,
            "limits": team.limits,
            "token_policies": settings.token_policies,
            "subscriptions": team.subscriptions,
            "keys": team.keys,
            "vault_resource_group_name": vault_resource_group_name,
            "private_endpoints": private_endpoints,
            "protect": settings.protect,
            "principals": team.principals,
            "role": team.role,
            "owners": team.owners,
        },
    )


def _team_api(api: ApiSettings, published: PublishedApi) -> TeamApi:
    created, client_id = None, None
    if isinstance(published, EntraProtectedApi):
        created = published.service_principal_id
        client_id = published.client_id if created is None else None
    return TeamApi(
        name=api.name,
        id=published.api_id,
        surface=api.surface,
        models=api.models,
        subscription_required=api.subscription_required,
        roles=api.registration.roles if api.registration else None,
        service_principal_id=created,
        client_id=client_id,
    )


def observe(
    observability: ObservabilityOptions,
    settings: Settings,
    gateway: ApiGateway,
    published: Mapping[str, PublishedApi],
    *,
    resource_group_name: pulumi.Input[str],
) -> Observability:
    """Create the component that keeps what the `published` APIs do."""
    created = settings.gateway.existing is None
    return Observability(
        "observability",
        {
            "resource_group_name": resource_group_name,
            "gateway_resource_group_name": gateway.resource_group_name,
            "service_name": gateway.service_name,
            "service_id": gateway.service_id,
            "gateway_subscription_id": gateway.subscription_id,
            "consumption": created and settings.gateway.sku is GatewaySku.CONSUMPTION,
            "sku": gateway.sku,
            "name_prefix": gateway.name_prefix,
            "observability": observability,
            "api_ids": {name: api.api_id for name, api in published.items()},
            "response_headers": _quota_headers(settings),
            "principal_id": gateway.principal_id,
            "identity_client_id": gateway.identity_client_id,
            "protect": settings.protect,
        },
    )


def tell(
    observability: ObservabilityOptions,
    settings: Settings,
    gateway: ApiGateway,
    openai: OpenAIBackend,
    observed: Observability,
    *,
    resource_group: resources.ResourceGroup,
) -> Workbook:
    """Create the workbook that shows what is kept, and the alerts on it, if somebody is to be told."""
    api_ids = [f"{gateway.name_prefix}{api.name}" for api in settings.apis]
    offered = [deployment for api in settings.apis if api.models for deployment in targets(api.models).values()]
    deployments = {name: models[0] for name, models in models_by_deployment(settings.openai, offered).items()}
    if observability.alerts is not None:
        Alerts(
            "alerts",
            {
                "resource_group_name": resource_group.name,
                "workspace_id": observed.workspace_id,
                "service_id": gateway.service_id,
                "api_ids": api_ids,
                "alerts": observability.alerts,
                "account_urls": openai.urls if len(settings.openai.accounts) > 1 else [],
                "sees_accounts": observability.app_insights.enabled,
                "breaker": settings.openai.breaker,
                "quotas": list(_quotas(settings, gateway.name_prefix)),
                "budget": observability.budget,
                "deployments": deployments,
                "prices": observability.prices,
            },
        )
    return Workbook(
        "workbook",
        {
            "resource_group_name": resource_group.name,
            "resource_group_id": resource_group.id,
            "workspace_id": observed.workspace_id,
            "service_id": gateway.service_id,
            "api_ids": api_ids,
            "display_name": f"Gateway ({pulumi.get_project()}/{pulumi.get_stack()})",
            "deployments": deployments,
            "prices": observability.prices,
        },
    )


def _quota_headers(settings: Settings) -> dict[str, list[str]]:
    """Return the headers of responses that tell what is left of quotas, by API."""
    quotas = list(_quotas(settings, ""))
    return {
        api.name: list(dict.fromkeys(quota.header for quota in quotas if quota.api_id == api.name))
        for api in settings.apis
    }


def _quotas(settings: Settings, name_prefix: str) -> Iterator[TokenQuota]:
    """Yield the token quotas of APIs, and those of teams on them, which have headers of their own."""
    for api in settings.apis:
        for header, amount in quota_headers(api.limits).items():
            yield TokenQuota(api_id=name_prefix + api.name, header=header, amount=amount)
    for team in settings.teams:
        for header, amount in quota_headers(team.limits, team=True).items():
            for name in team.apis:
                product = name_prefix + team.name
                yield TokenQuota(api_id=name_prefix + name, product_id=product, header=header, amount=amount)
