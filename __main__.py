"""Azure OpenAI behind API Management: settings -> components -> exports."""

from typing import Any

import pulumi
from pulumi_azure_native import resources

from components import ApiGateway, EntraProtectedApi, KeyAuthApi, ManagedIdentityApi, OpenAIBackend
from options import AuthMode, BackendAuth
from settings import from_stack

COMPONENTS = {
    AuthMode.KEY: KeyAuthApi,
    AuthMode.MANAGED_IDENTITY: ManagedIdentityApi,
    AuthMode.ENTRA: EntraProtectedApi,
}

settings = from_stack()
for warning in settings.warnings:
    pulumi.log.warn(warning)

group = resources.ResourceGroup("openai-gateway")
gateway = ApiGateway(
    "gateway",
    {
        "resource_group_name": group.name,
        "gateway": settings.gateway,
        "identities": [api.identity for api in settings.apis],
    },
)
openai = OpenAIBackend(
    "openai",
    {
        "resource_group_name": group.name,
        "gateway_resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "openai": settings.openai,
        "local_auth": settings.local_auth,
        "users": {
            api.identity.rsplit("/", 1)[-1]: gateway.identities[api.identity].principal_id
            for api in settings.apis
            if api.backend_auth is BackendAuth.MANAGED_IDENTITY
        },
    },
)

pulumi.export("gatewayUrl", gateway.gateway_url)
for api in settings.apis:
    args: Any = {
        "resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "sku": gateway.sku,
        "path": api.path,
        "backend_id": openai.backend_id,
        "accounts": openai.accounts,
        "principal_id": gateway.identities[api.identity].principal_id,
        "identity_client_id": gateway.identities[api.identity].client_id,
        "role_assignment_ids": openai.role_assignment_ids,
        "vault_resource_group_name": group.name,
        "subscription_required": api.subscription_required,
        "api_version": api.api_version,
        "definition": api.definition,
        "key": api.key,
        "entra": api.entra,
        "jwt": api.jwt,
    }
    published = COMPONENTS[api.auth](api.name, {name: value for name, value in args.items() if value is not None})
    pulumi.export(f"{api.name}Url", pulumi.Output.concat(gateway.gateway_url, "/", api.path))
    for output in ("audience", "scopes", "subscription_key"):
        value = getattr(published, output, None)
        if value is not None:
            pulumi.export(f"{api.name}{output.title().replace('_', '')}", value)
