"""Key vaults that somebody else owns."""

import pulumi
from pulumi_azure_native import keyvault

from components._subscriptions import invoke_options
from options import ExistingResource


def existing_vault(vault: ExistingResource, parent: pulumi.Resource) -> pulumi.Output[keyvault.GetVaultResult]:
    """Look up a vault, which must be in the mode in which roles give access."""
    found: pulumi.Output[keyvault.GetVaultResult] = keyvault.get_vault_output(
        vault_name=vault.name,
        resource_group_name=vault.resource_group,
        opts=invoke_options(parent, vault.subscription_id),
    )
    return found.apply(_in_rbac_mode)


def _in_rbac_mode(vault: keyvault.GetVaultResult) -> keyvault.GetVaultResult:
    if not vault.properties.enable_rbac_authorization:
        raise pulumi.RunError(
            f"vault {vault.name} uses access policies, where a role gives no access to secrets; switch it to Azure "
            "role-based access control, or name another vault"
        )
    return vault
