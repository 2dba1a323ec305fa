"""Key vaults and their secrets (Microsoft.KeyVault)."""

import re
import secrets
from copy import deepcopy

from apim_emulator.azure.arm import arm_type, described, existing
from apim_emulator.azure.authorization import (
    KEY_VAULT_ADMINISTRATOR,
    KEY_VAULT_SECRETS_OFFICER,
    KEY_VAULT_SECRETS_USER,
    has_role,
)
from apim_emulator.azure.errors import CloudError, invalid, not_found
from apim_emulator.azure.shape import Shape, Text
from apim_emulator.azure.state import Invoke, Properties, Resource, SoftDelete, State, always

VAULT = "azure-native:keyvault:Vault"
SECRET = "azure-native:keyvault:Secret"  # noqa: S105 - a type token
_PATH = "Microsoft.KeyVault/vaults"

_WRITERS = (KEY_VAULT_SECRETS_OFFICER, KEY_VAULT_ADMINISTRATOR)
_READERS = (KEY_VAULT_SECRETS_USER, *_WRITERS)
"""Roles with data actions on secrets ("Azure role-based access control for Key Vault data plane operations").

*Contributor* and *Owner* have none: they write a secret through Azure Resource Manager, and neither read nor delete it.
"""
_FEWEST_DAYS, _RETENTION_DAYS = 7, 90
"""Days for which a deleted vault may be kept, and by default is."""

_IDENTIFIER = re.compile(r"^(https://[^/]+/)secrets/([^/]+)(?:/([0-9a-fA-F]{32}))?/?$")

_VAULT_PROPERTIES = Shape(
    "sku tenantId",
    "accessPolicies createMode enablePurgeProtection enableRbacAuthorization enableSoftDelete enabledForDeployment "
    "enabledForDiskEncryption enabledForTemplateDeployment networkAcls publicNetworkAccess "
    "softDeleteRetentionInDays",
    createMode=Text(values=("default", "recover")),
    sku=Shape("family name", family=Text(values=("A",)), name=Text(values=("standard", "premium"))),
    accessPolicies=Shape(
        "objectId permissions tenantId",
        "applicationId",
        permissions=Shape("", "certificates keys secrets storage"),
    ),
)
_SECRET_PROPERTIES = Shape("", "attributes contentType value", attributes=Shape("", "enabled expires notBefore"))


def secret_by_identifier(state: State, identifier: str) -> tuple[Resource, Resource, str]:
    """Vault, secret and version that a secret identifier names: the newest version where it names none.

    It is written `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`.
    """
    match = _IDENTIFIER.match(identifier)
    if match is None:
        raise invalid(
            f"secret identifier {identifier!r} must be https://VAULT.vault.azure.net/secrets/NAME",
            "keyVault.secretIdentifier",
        )
    uri, name, version = match.groups()
    for vault in state.of(VAULT):
        if vault.outputs["properties"]["vaultUri"].lower() == uri.lower():
            found = state.find(f"{vault.id}/secrets/{name}")
            if found is not None and (version is None or version in found.private["versions"]):
                return vault, found, version or next(reversed(found.private["versions"]))
    raise not_found("Key Vault secret", identifier, "keyVault.secretIdentifier")


def has_version(identifier: str) -> bool:
    """Whether a secret identifier names a version, which never changes."""
    match = _IDENTIFIER.match(identifier)
    return match is not None and match[3] is not None


def may_read(state: State, vault: Resource, secret: Resource, principal_id: str) -> bool:
    """Whether a principal may get the secret, by role on it or above, or by access policy, whichever the vault uses."""
    return _may(state, vault, secret, principal_id, "get")


def _may(state: State, vault: Resource, secret: Resource, principal_id: str, permission: str) -> bool:
    """Whether the data plane lets a principal do with a secret what a permission of access policies is for."""
    properties = vault.outputs["properties"]
    if properties["enableRbacAuthorization"]:
        roles = _READERS if permission == "get" else _WRITERS
        return any(has_role(state, principal_id, role, secret.id) for role in roles)
    return any(
        policy["objectId"].lower() == principal_id.lower()
        and {permission, "all"} & {str(given).lower() for given in policy["permissions"].get("secrets") or ()}
        for policy in properties.get("accessPolicies") or ()
    )


def _complete_vault(state: State, resource: Resource, _parent: Resource) -> None:
    properties = deepcopy(resource.inputs["properties"])
    properties.pop("createMode", None)
    if properties["tenantId"].lower() != state.tenant_id:
        raise CloudError(
            "BadRequest",
            f"properties.tenantId {properties['tenantId']!r} is not the subscription's tenant {state.tenant_id}",
            "properties.tenantId",
        )
    rbac = properties.setdefault("enableRbacAuthorization", False)
    if not rbac and "accessPolicies" not in properties:
        raise CloudError(
            "BadRequest",
            "properties.accessPolicies is missing; set it, or enableRbacAuthorization to true",
            "properties.accessPolicies",
        )
    _check_retention(state.find(resource.id), properties)
    properties |= {"vaultUri": f"https://{resource.name.lower()}.vault.azure.net/", "provisioningState": "Succeeded"}
    resource.outputs["properties"] = properties


def _check_retention(before: Resource | None, properties: Properties) -> None:
    """Refuse what weakens soft delete afterwards ("Azure Key Vault soft-delete overview")."""
    old = before.outputs["properties"] if before else {}
    days = properties.setdefault("softDeleteRetentionInDays", old.get("softDeleteRetentionInDays", _RETENTION_DAYS))
    if not _FEWEST_DAYS <= days <= _RETENTION_DAYS:
        raise CloudError(
            "BadRequest",
            f"properties.softDeleteRetentionInDays {days} is not {_FEWEST_DAYS} to {_RETENTION_DAYS}",
            "properties.softDeleteRetentionInDays",
        )
    if days != old.get("softDeleteRetentionInDays", days):
        raise CloudError(
            "BadRequest",
            "properties.softDeleteRetentionInDays has been set already and cannot be changed",
            "properties.softDeleteRetentionInDays",
        )
    if properties.get("enablePurgeProtection") is False or (
        old.get("enablePurgeProtection") and not properties.get("enablePurgeProtection")
    ):
        raise CloudError(
            "BadRequest",
            "properties.enablePurgeProtection cannot be false; leave it out, and where it is true it stays so",
            "properties.enablePurgeProtection",
        )
    if properties.get("enableSoftDelete") is False:
        raise CloudError("BadRequest", "properties.enableSoftDelete cannot be false", "properties.enableSoftDelete")
    properties["enableSoftDelete"] = True


def _purge_refusal(vault: Resource) -> CloudError | None:
    if not vault.outputs["properties"].get("enablePurgeProtection"):
        return None
    return CloudError(
        "MethodNotAllowed", f"the vault {vault.name!r} has purge protection; it goes when its retention is over"
    )


_SOFT_DELETE = SoftDelete(
    retention=lambda vault: vault.outputs["properties"]["softDeleteRetentionInDays"] * 24 * 3600.0,
    asked=lambda inputs: inputs["properties"].get("createMode") == "recover",
    taken=lambda vault: CloudError(
        "ConflictError",
        f"a vault with the name {vault.name!r} exists in deleted state; recover it with properties.createMode, or "
        "purge it",
        "vaultName",
    ),
    absent=lambda vault: CloudError(
        "SoftDeletedVaultDoesNotExist",
        f"there is no deleted vault {vault.name!r} to recover; leave out properties.createMode",
        "properties.createMode",
    ),
    protected=_purge_refusal,
)


def _complete_secret(_state: State, resource: Resource, parent: Resource) -> None:
    properties = deepcopy(resource.inputs["properties"])
    value = properties.pop("value", None)
    if not isinstance(value, str):
        raise CloudError("BadParameter", "properties.value is missing; it is required", "properties.value")
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
        raise not_found("the vault of", secret.id)
    return vault


def _delete_secret(state: State, secret: Resource) -> None:
    """Refuse who may not delete secrets: Resource Manager cannot, so pulumi-azure-native asks the vault itself."""
    vault = _vault_of(state, secret)
    caller = state.deployer_object_id
    if _may(state, vault, secret, caller, "delete"):
        return
    if not vault.outputs["properties"]["enableRbacAuthorization"]:
        raise CloudError(
            "Forbidden",
            f"The user, group or application 'oid={caller}' does not have secrets delete permission on key vault "
            f"'{vault.name}'. (AccessDenied)",
        )
    raise CloudError(
        "Forbidden",
        "Caller is not authorized to perform action on resource. If role assignments, deny assignments or role "
        f"definitions were changed recently, please observe propagation time. Caller: oid={caller}; Action: "
        f"'Microsoft.KeyVault/vaults/secrets/delete'; Resource: '{secret.id}'; Vault: {vault.name} (ForbiddenByRbac)",
    )


_SECRET_SOFT_DELETE = SoftDelete(
    retention=lambda secret: secret.private["retention"],
    asked=lambda _inputs: False,
    # In the words of the data plane; those of Resource Manager are inferred to be the same.
    taken=lambda secret: CloudError(
        "Conflict",
        f"Secret {secret.name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
        "state, the secret can only be recovered or purged. (ObjectIsDeletedButRecoverable)",
        "secretName",
    ),
    absent=lambda secret: not_found("deleted secret", secret.id),
    protected=lambda secret: (
        CloudError(
            "Forbidden", f"the vault of {secret.name!r} has purge protection; it goes when its retention is over"
        )
        if secret.private["protected"]
        else None
    ),
    everywhere=False,
    # pulumi-azure-native answers this conflict by recovering the secret on the data plane, if it may, and writes again.
    recovers=lambda state, secret: _may(state, _vault_of(state, secret), secret, state.deployer_object_id, "recover"),
)


TYPES = (
    arm_type(
        VAULT,
        _PATH,
        "vaultName",
        Shape("properties resourceGroupName", "location tags vaultName", properties=_VAULT_PROPERTIES),
        _complete_vault,
        pattern=r"^[a-zA-Z0-9-]{3,24}$",
        immutable={"properties.tenantId": always},
        write_only=lambda _inputs: ("properties.createMode",),
        # What pulumi-azure-native sends for properties left out (`VaultPropertiesArgs`).
        defaults={
            "properties.enableRbacAuthorization": False,
            "properties.enableSoftDelete": True,
            "properties.enabledForDeployment": False,
            "properties.enabledForDiskEncryption": False,
            "properties.enabledForTemplateDeployment": False,
            "properties.publicNetworkAccess": "enabled",
            "properties.softDeleteRetentionInDays": _RETENTION_DAYS,
        },
        unique_in_azure="VaultAlreadyExists",
        soft_delete=_SOFT_DELETE,
    ),
    arm_type(
        SECRET,
        f"{_PATH}/secrets",
        "vaultName secretName",
        Shape("properties resourceGroupName vaultName", "secretName tags", properties=_SECRET_PROPERTIES),
        _complete_secret,
        pattern=r"^[a-zA-Z0-9-]{1,127}$",
        write_only=lambda _inputs: ("properties.value",),
        soft_delete=_SECRET_SOFT_DELETE,
        on_delete=_delete_secret,
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:keyvault:getVault": lambda state, args: described(existing(state, _PATH, args, "vaultName")),
}
