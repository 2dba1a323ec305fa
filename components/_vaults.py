"""Key vaults that somebody else owns and that are looked up here."""

import pulumi
from pulumi_azure_native import keyvault

from components._subscriptions import invoke_options
from options import ExistingResource


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
