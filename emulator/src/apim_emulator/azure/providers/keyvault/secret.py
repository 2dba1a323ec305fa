"""Secrets of a vault."""

import secrets
from copy import deepcopy

from apim_emulator.azure.exceptions import ResourceNotFoundError
from apim_emulator.azure.providers.keyvault import PATH, SECRET
from apim_emulator.azure.providers.keyvault.data_plane import is_allowed, is_public
from apim_emulator.azure.providers.keyvault.exceptions import BadParameterError, ForbiddenError, SecretDeletedError
from apim_emulator.azure.resource_types import Shape, SoftDelete, arm_type
from apim_emulator.azure.state import Resource, State

_PROPERTIES = Shape("", "attributes contentType value", attributes=Shape("", "enabled expires notBefore"))


def _complete(_state: State, resource: Resource, parent: Resource) -> None:
    properties = deepcopy(resource.inputs["properties"])
    value = properties.pop("value", None)
    if not isinstance(value, str):
        raise BadParameterError("properties.value is missing; it is required", "properties.value")
    attributes = {"enabled": True, **(properties.get("attributes") or {})}
    version = secrets.token_hex(16)
    uri = f"{parent.outputs['properties']['vaultUri']}secrets/{resource.name}"
    properties |= {"attributes": attributes, "secretUri": uri, "secretUriWithVersion": f"{uri}/{version}"}
    resource.outputs |= {"properties": properties, "location": parent.outputs["location"]}
    days = parent.outputs["properties"]["softDeleteRetentionInDays"]
    resource.private |= {
        "versions": resource.private.get("versions", {}) | {version: value},
        "retention": days * 24 * 3600.0,
        "protected": parent.outputs["properties"].get("enablePurgeProtection") is True,
    }


def _vault_of(state: State, secret: Resource) -> Resource:
    vault = state.find(secret.id.rpartition("/secrets/")[0])
    if vault is None:
        raise ResourceNotFoundError("the vault of", secret.id)
    return vault


def _delete(state: State, secret: Resource) -> None:
    """Refuse deployers who may not delete secrets: pulumi-azure-native asks the vault itself, as only that can."""
    vault = _vault_of(state, secret)
    caller = state.deployer_object_id
    if not is_public(vault):
        # The deployer is outside of all networks. Firewalls leave Resource Manager alone, which writes secrets
        # ("Virtual network service endpoints for Azure Key Vault").
        raise ForbiddenError(
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            f"link. Caller: oid={caller}; Vault: {vault.name} (ForbiddenByConnection)",
        )
    if is_allowed(state, vault, secret, caller, "delete"):
        return
    if not vault.outputs["properties"]["enableRbacAuthorization"]:
        raise ForbiddenError(
            f"The user, group or application 'oid={caller}' does not have secrets delete permission on key vault "
            f"'{vault.name}'. (AccessDenied)",
        )
    raise ForbiddenError(
        "Caller is not authorized to perform action on resource. If role assignments, deny assignments or role "
        f"definitions were changed recently, please observe propagation time. Caller: oid={caller}; Action: "
        f"'Microsoft.KeyVault/vaults/secrets/delete'; Resource: '{secret.id}'; Vault: {vault.name} (ForbiddenByRbac)",
    )


def _may_recover(state: State, secret: Resource) -> bool:
    vault = _vault_of(state, secret)
    return is_public(vault) and is_allowed(state, vault, secret, state.deployer_object_id, "recover")


_SOFT_DELETE = SoftDelete(
    retention=lambda secret: secret.private["retention"],
    asks_to_restore=lambda _inputs: False,
    # In the words of the data plane; those of Resource Manager are inferred to be the same.
    name_taken=lambda secret: SecretDeletedError(
        f"Secret {secret.name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
        "state, the secret can only be recovered or purged. (ObjectIsDeletedButRecoverable)",
        "secretName",
    ),
    not_deleted=lambda secret: ResourceNotFoundError("deleted secret", secret.id),
    purge_refused=lambda secret: (
        ForbiddenError(f"the vault of {secret.name!r} has purge protection; it goes when its retention is over")
        if secret.private["protected"]
        else None
    ),
    global_name=False,
    # pulumi-azure-native answers this conflict by recovering the secret on the data plane, if it may, and writes again.
    recovered_unasked=_may_recover,
)


TYPE = arm_type(
    token=SECRET,
    path=f"{PATH}/secrets",
    names="vaultName secretName",
    shape=Shape("properties resourceGroupName vaultName", "secretName tags", properties=_PROPERTIES),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9-]{1,127}$",
    write_only=lambda _inputs: ("properties.value",),
    soft_delete=_SOFT_DELETE,
    on_delete=_delete,
)
