"""Azure OpenAI behind API Management: settings -> components -> exports."""

import pulumi
from pulumi_azure_native import resources

from components import ApiGateway, ContentSafety, OpenAIBackend, SemanticCache
from deployment import (
    PublishedApi,
    account_pools,
    admit,
    embeddings,
    endpoints_in,
    identities,
    identity_accounts,
    identity_users,
    observe,
    pool_surfaces,
    private_network,
    publish,
    safety_accounts,
    surfaces,
    tell,
)
from settings import from_stack

settings = from_stack()
for warning in settings.warnings:
    pulumi.log.warn(warning)

group = resources.ResourceGroup(
    "openai-gateway",
    # Set explicitly, so that another location in the config replaces the group and everything in it.
    location=settings.location,
    # Deleting the group would delete the protected resources in it.
    opts=pulumi.ResourceOptions(protect=settings.protect),
)
network = private_network(settings, group.name)
endpoints = endpoints_in(network, settings)
gateway = ApiGateway(
    "gateway",
    {
        "resource_group_name": group.name,
        "gateway": settings.gateway,
        "identities": identities(settings),
        "network": settings.network,
        "network_id": None if network is None else network.network_id,
        "gateway_subnet_id": None if network is None else network.gateway_subnet_id,
        "private_endpoints": endpoints,
        "protect": settings.protect,
    },
)
openai = OpenAIBackend(
    "openai",
    {
        "resource_group_name": group.name,
        "gateway_resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "gateway_subscription_id": gateway.subscription_id,
        "sku": gateway.sku,
        "openai": settings.openai,
        "name_prefix": gateway.name_prefix,
        "surfaces": surfaces(settings),
        "pools": account_pools(settings),
        "pool_surfaces": pool_surfaces(settings),
        "key_accounts": settings.key_accounts,
        "users": identity_users(settings, gateway),
        "user_accounts": identity_accounts(settings),
        "embeddings": embeddings(settings),
        "private_endpoints": endpoints,
        "protect": settings.protect,
    },
)
safety = {
    account: ContentSafety(
        name,
        {
            "resource_group_name": group.name,
            "gateway_resource_group_name": gateway.resource_group_name,
            "service_name": gateway.service_name,
            "gateway_subscription_id": gateway.subscription_id,
            "name_prefix": gateway.name_prefix,
            "account": account,
            "principal_id": gateway.principal_id,
            "identity_client_id": gateway.identity_client_id,
            "private_endpoints": endpoints,
            "protect": settings.protect,
        },
    )
    for name, account in safety_accounts(settings).items()
}
if settings.redis is not None and not settings.redis.connected:
    SemanticCache(
        "semantic-cache",
        {
            "resource_group_name": group.name,
            "gateway_resource_group_name": gateway.resource_group_name,
            "service_name": gateway.service_name,
            "gateway_subscription_id": gateway.subscription_id,
            "redis": settings.redis,
            "private_endpoints": endpoints,
        },
    )

pulumi.export("gatewayUrl", gateway.gateway_url)
apis: dict[str, PublishedApi] = {}
for api in settings.apis:
    published = apis[api.name] = publish(
        api,
        gateway,
        openai,
        None if api.safety_account is None else safety[api.safety_account],
        breaker=settings.openai.breaker,
        vault_resource_group_name=group.name,
        private_endpoints=endpoints,
        protect=settings.protect,
    )
    pulumi.export(f"{api.name}Url", pulumi.Output.concat(gateway.gateway_url, "/", api.path))
    for output in ("audience", "scopes", "subscription_key", "secondary_subscription_key"):
        value = getattr(published, output, None)
        if value is not None:
            pulumi.export(f"{api.name}{output.title().replace('_', '')}", value)
for team in settings.teams:
    access = admit(team, settings, gateway, apis, vault_resource_group_name=group.name, private_endpoints=endpoints)
    pulumi.export(f"{team.name}PrimaryKeys", access.primary_keys)
    pulumi.export(f"{team.name}SecondaryKeys", access.secondary_keys)
    if team.keys and team.keys.vault:
        pulumi.export(f"{team.name}KeySecrets", access.key_secrets)

if settings.observability is not None:
    observed = observe(settings.observability, settings, gateway, apis, resource_group_name=group.name)
    pulumi.export("logAnalyticsWorkspaceId", observed.workspace_id)
    if observed.component_id is not None:
        pulumi.export("appInsightsId", observed.component_id)
    workbook = tell(settings.observability, settings, gateway, openai, observed, resource_group=group)
    pulumi.export("workbookId", workbook.workbook_id)
