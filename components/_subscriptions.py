"""Resources in another Azure subscription than that of a component's own provider."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
import pulumi_azure_native

_STRINGS = {
    "client_certificate_password": "clientCertificatePassword",
    "client_certificate_path": "clientCertificatePath",
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "environment": "environment",
    "location": "location",
    "metadata_host": "metadataHost",
    "msi_endpoint": "msiEndpoint",
    "oidc_request_token": "oidcRequestToken",
    "oidc_request_url": "oidcRequestUrl",
    "oidc_token": "oidcToken",
    "oidc_token_file_path": "oidcTokenFilePath",
    "tenant_id": "tenantId",
}
_BOOLEANS = {
    "disable_instance_discovery": "disableInstanceDiscovery",
    "use_default_azure_credential": "useDefaultAzureCredential",
    "use_msi": "useMsi",
    "use_oidc": "useOidc",
}
"""Config keys of the login, by the provider's argument ("Azure Native: Installation & Configuration")."""

_providers: WeakKeyDictionary[pulumi.Resource, dict[str, pulumi_azure_native.Provider]] = WeakKeyDictionary()


def child_options(
    parent: pulumi.Resource, subscription_id: str | None, *, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.ResourceOptions:
    """Return the options of a child in a subscription; None is that of the parent's own provider."""
    provider = _provider(parent, subscription_id)
    return pulumi.ResourceOptions(parent=parent, provider=provider, depends_on=list(depends_on))


def invoke_options(parent: pulumi.Resource, subscription_id: str | None) -> pulumi.InvokeOutputOptions:
    """Return the options of a function call in a subscription; None is that of the parent's own provider."""
    return pulumi.InvokeOutputOptions(parent=parent, provider=_provider(parent, subscription_id))


def _provider(parent: pulumi.Resource, subscription_id: str | None) -> pulumi.ProviderResource | None:
    """Return the provider of a subscription, one for each component and subscription.

    azure-native creates and looks up resources only in the subscription of its configuration (pulumi-azure-native
    #3442); it reads, changes and deletes resources by ID in any subscription.
    """
    if subscription_id is None:
        return None
    made = _providers.setdefault(parent, {})
    if subscription_id not in made:
        made[subscription_id] = pulumi_azure_native.Provider(
            f"{parent.pulumi_resource_name}-{subscription_id}",
            subscription_id=subscription_id,
            **_login(),
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return made[subscription_id]


def _login() -> dict[str, Any]:
    """Return the login settings of the stack's config, which the engine passes only to default providers."""
    config = pulumi.Config("azure-native")
    found: dict[str, Any] = {
        name: config.get_secret(key) if pulumi.runtime.is_config_secret(config.full_key(key)) else config.get(key)
        for name, key in _STRINGS.items()
    }
    found |= {name: config.get_bool(key) for name, key in _BOOLEANS.items()}
    found["auxiliary_tenant_ids"] = config.get_object("auxiliaryTenantIds")
    return {name: value for name, value in found.items() if value is not None}
