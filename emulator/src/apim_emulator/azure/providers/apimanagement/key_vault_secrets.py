"""Key Vault secrets, as the service reads them with one of its identities."""

from apim_emulator.azure.providers.apimanagement.exceptions import InvalidOperationError
from apim_emulator.azure.providers.keyvault.data_plane import may_read, secret_by_identifier
from apim_emulator.azure.state import Resource, State
from apim_emulator.model import ManagedIdentity


def readable_secret(state: State, identifier: str, reader: ManagedIdentity, target: str) -> tuple[Resource, str]:
    """Secret and version that an identifier names, if the identity may get it; else in the service's own words.

    They are those about the certificate of a hostname (Microsoft Q&A 1688796, azurerm `api_management_custom_domain`);
    about a named value inferred to be the same.
    """
    vault, secret, version = secret_by_identifier(state, identifier)
    if not may_read(state, vault, secret, reader.principal_id):
        kind = "SystemAssigned" if reader.system_assigned else "UserAssigned"
        raise InvalidOperationError(
            f"Failed to access KeyVault Secret {identifier} using Managed Service Identity of Api Management service. "
            f"Check if Managed Identity of Type: {kind}, ClientId: {reader.client_id} and ObjectId: "
            f"{reader.principal_id} has GET permissions on secrets in the KeyVault Access Policies.",
            target,
        )
    return secret, version
