"""Key Vault secrets, as the service reads them with one of its identities."""

from urllib.parse import urlsplit

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.apimanagement.exceptions import InvalidOperationError
from apim_emulator.azure.providers.apimanagement.references import service_id
from apim_emulator.azure.providers.keyvault.data_plane import is_public, may_read, secret_by_identifier
from apim_emulator.azure.providers.managedidentity.identities import identities
from apim_emulator.azure.providers.network.data_plane import network_of_service, private_hosts
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.model import ManagedIdentity


def readable_secret(
    state: State, service: Resource, identifier: str, reader: ManagedIdentity, target: str
) -> tuple[Resource, str]:
    """Secret and version that an identifier names, if the identity may get it; else in the service's own words.

    They are those about the certificate of a hostname (Microsoft Q&A 1688796, azurerm `api_management_custom_domain`);
    about a named value inferred to be the same. A vault without public access must be reached by a private endpoint in
    the service's network, with its system-assigned identity ("Requirements for Key Vault firewall"); that the vault's
    own words are in the answer is inferred.
    """
    vault, secret, version = secret_by_identifier(state, identifier)
    if not is_public(vault):
        host = str(urlsplit(vault.outputs["properties"]["vaultUri"]).hostname)
        if host not in private_hosts(state, network_of_service(service)):
            raise InvalidOperationError(
                f"Failed to access KeyVault Secret {identifier} using Managed Service Identity of Api Management "
                "service. Public network access is disabled and request is not from a trusted service nor via an "
                "approved private link. (ForbiddenByConnection)",
                target,
            )
        if not reader.system_assigned:
            raise InvalidOperationError(
                f"Failed to access KeyVault Secret {identifier}, whose vault has a firewall: use the system-assigned "
                f"managed identity of the service, not ClientId: {reader.client_id}.",
                target,
            )
    if not may_read(state, vault, secret, reader.principal_id):
        kind = "SystemAssigned" if reader.system_assigned else "UserAssigned"
        raise InvalidOperationError(
            f"Failed to access KeyVault Secret {identifier} using Managed Service Identity of Api Management service. "
            f"Check if Managed Identity of Type: {kind}, ClientId: {reader.client_id} and ObjectId: "
            f"{reader.principal_id} has GET permissions on secrets in the KeyVault Access Policies.",
            target,
        )
    return secret, version


def referenced_secret(state: State, resource: Resource, reference: Properties) -> str:
    """Return the value of the secret that a named value or a certificate refers to."""
    identifier = reference.get("secretIdentifier")
    if not identifier:
        raise ValidationError("keyVault.secretIdentifier is missing; it is required", "keyVault.secretIdentifier")
    service = state.find(service_id(resource))
    if service is None:
        raise ResourceNotFoundError("the service of", resource.id)
    identity = _reader(state, service, reference.get("identityClientId"))
    secret, version = readable_secret(state, service, identifier, identity, "keyVault.secretIdentifier")
    if not secret.outputs["properties"]["attributes"]["enabled"]:
        raise ValidationError(f"the secret {identifier} is disabled", "keyVault.secretIdentifier")
    return str(secret.private["versions"][version])


def _reader(state: State, service: Resource, client_id: str | None) -> ManagedIdentity:
    """Identity with which the service reads a secret: the one named, else the system-assigned one."""
    for identity in identities(state, service):
        if identity.system_assigned if client_id is None else identity.client_id == client_id:
            return identity
    raise ValidationError(
        "the service has no system-assigned identity to read the Key Vault secret with"
        if client_id is None
        else f"Can not find Managed Identity with provided IdentityClientId : {client_id}",
        "keyVault.identityClientId",
    )
