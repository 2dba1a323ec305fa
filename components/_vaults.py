"""Key vaults, created or looked up, and the secrets that are written to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault

from components._endpoints import VAULT_ZONE, PrivateEndpoints, create_endpoint, public_access
from components._names import unique_name
from components._subscriptions import child_options, invoke_options
from options import ExistingResource


@dataclass(frozen=True, kw_only=True, slots=True)
class Vault:
    """A vault in Azure RBAC mode."""

    subscription_id: str | None = None
    """Subscription of the vault. None: that of the component's own provider."""
    resource_group_name: pulumi.Input[str]
    name: pulumi.Input[str]
    created: bool = False
    """Whether it is created here, not adopted."""
    names: Sequence[pulumi.Resource] = ()
    """What must exist before its name leads to its private endpoint."""


def adopted_vault(vault: ExistingResource, parent: pulumi.Resource) -> Vault:
    """Return a vault that somebody else owns, see `existing_vault`."""
    found = existing_vault(vault, parent)
    return Vault(
        subscription_id=vault.subscription_id,
        resource_group_name=vault.resource_group,
        name=found.apply(lambda known: known.name),
    )


def create_vault(
    name: str,
    group: pulumi.Input[str],
    *,
    vault_name: str | None = None,
    endpoints: PrivateEndpoints | None = None,
    protect: bool | None = None,
    parent: pulumi.Resource,
) -> Vault:
    """Create a vault for a component, named after it unless there is a `vault_name`.

    With `endpoints` it gets a private endpoint. Without public access, Resource Manager still writes its secrets
    ("Virtual network service endpoints for Azure Key Vault").
    """
    client = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=parent))
    created = keyvault.Vault(
        f"{name}-vault",
        vault_name=vault_name or unique_name(name, "kv", limit=24, replaced_on={"resourceGroup": group}, parent=parent),
        resource_group_name=group,
        properties={
            "tenant_id": client.tenant_id,
            "sku": {"family": keyvault.SkuFamily.A, "name": keyvault.SkuName.STANDARD},
            "enable_rbac_authorization": True,
            "enable_purge_protection": True,
            "public_network_access": None if public_access(endpoints) else "disabled",
        },
        opts=pulumi.ResourceOptions(parent=parent, protect=protect),
    )
    if endpoints is None:
        return Vault(resource_group_name=group, name=created.name, created=True)
    names = create_endpoint(
        f"{name}-vault",
        created.id,
        "vault",
        [VAULT_ZONE],
        endpoints=endpoints,
        resource_group_name=group,
        parent=parent,
    )
    return Vault(resource_group_name=group, name=created.name, created=True, names=[names])


def write_secret(
    name: str,
    vault: Vault,
    value: pulumi.Input[str],
    *,
    secret_name: str,
    content_type: str,
    parent: pulumi.Resource,
) -> keyvault.Secret:
    """Write a secret to a vault, under `secret_name` in an adopted one.

    Resource Manager can write secrets but not delete them: to delete one, or to recover a deleted one of the same name,
    pulumi-azure-native calls the vault itself, which needs a role in the vault. So a secret in a vault that is created
    here stays, without a reader, until the vault is deleted, and no other secret gets its name.
    """
    opts = child_options(parent, vault.subscription_id)
    opts.additional_secret_outputs = ["properties"]
    in_vault: pulumi.Input[str] = secret_name
    if vault.created:
        in_vault = unique_name(name, "key", limit=127, replaced_on={"vault": vault.name}, parent=parent)
        opts.retain_on_delete = True
        opts.ignore_changes = ["secretName"]  # earlier versions created it without a random suffix
    return keyvault.Secret(
        f"{name}-secret",
        secret_name=in_vault,
        vault_name=vault.name,
        resource_group_name=vault.resource_group_name,
        properties={"value": value, "content_type": content_type},
        opts=opts,
    )


def existing_vault(vault: ExistingResource, parent: pulumi.Resource) -> pulumi.Output[keyvault.GetVaultResult]:
    """Look up a vault.

    Raises, in its output:
        pulumi.RunError: The vault does not use Azure role-based access control.

    """
    found: pulumi.Output[keyvault.GetVaultResult] = keyvault.get_vault_output(
        vault_name=vault.name,
        resource_group_name=vault.resource_group,
        opts=invoke_options(parent, vault.subscription_id),
    )
    return found.apply(_in_rbac_mode)


def _in_rbac_mode(vault: keyvault.GetVaultResult) -> keyvault.GetVaultResult:
    if not vault.properties.enable_rbac_authorization:
        raise pulumi.RunError(
            f"vault {vault.name} uses access policies, so that a role gives no access to its secrets; switch it to "
            "Azure role-based access control, or name another vault"
        )
    return vault
