"""How the components of a deployment are put together."""

from typing import TypedDict

import pulumi

from components import ApiGateway, EntraProtectedApi, KeyAuthApi, ManagedIdentityApi, OpenAIAccount, OpenAIBackend
from options import AuthMode, BackendAuth
from settings import ApiSettings, Settings


class _Common(TypedDict):
    """The inputs that the API components of all auth modes have."""

    resource_group_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    subscription_id: str | None
    sku: pulumi.Input[str]
    path: pulumi.Input[str]
    display_name: pulumi.Input[str]
    backend_id: pulumi.Input[str]
    accounts: list[OpenAIAccount]
    principal_id: pulumi.Input[str]
    identity_client_id: pulumi.Input[str | None]
    api_version: pulumi.Input[str]
    definition: pulumi.Input[str | None]


PublishedApi = KeyAuthApi | ManagedIdentityApi | EntraProtectedApi


def identity_users(settings: Settings, gateway: ApiGateway) -> dict[str, pulumi.Input[str]]:
    """Object IDs of the identities with which APIs call Azure OpenAI, by a short name for each."""
    return {
        api.identity.rsplit("/", 1)[-1]: gateway.identities[api.identity].principal_id
        for api in settings.apis
        if api.backend_auth is BackendAuth.MANAGED_IDENTITY
    }


def publish(
    api: ApiSettings,
    gateway: ApiGateway,
    openai: OpenAIBackend,
    *,
    vault_resource_group_name: pulumi.Input[str],
    protect: bool,
) -> PublishedApi:
    """Make the API component of the API's auth mode."""
    identity = gateway.identities[api.identity]
    common: _Common = {
        "resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "subscription_id": gateway.subscription_id,
        "sku": gateway.sku,
        "path": api.path,
        "display_name": api.name,
        "backend_id": openai.backend_id,
        "accounts": openai.accounts,
        "principal_id": identity.principal_id,
        "identity_client_id": identity.client_id,
        "api_version": api.api_version,
        "definition": api.definition,
    }
    if api.auth is AuthMode.KEY:
        return KeyAuthApi(
            api.name,
            {
                **common,
                "key": api.key,
                "vault_resource_group_name": vault_resource_group_name,
                "protect": protect,
            },
        )
    if api.auth is AuthMode.MANAGED_IDENTITY:
        return ManagedIdentityApi(api.name, {**common, "role_assignment_ids": openai.role_assignment_ids})
    return EntraProtectedApi(
        api.name,
        {
            **common,
            "entra": api.entra,
            "jwt": api.jwt,
            "key": api.key,
            "role_assignment_ids": openai.role_assignment_ids,
            "subscription_required": api.subscription_required,
            "vault_resource_group_name": vault_resource_group_name,
            "protect": protect,
        },
    )
