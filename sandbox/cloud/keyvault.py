"""Key vaults and their secrets (Microsoft.KeyVault)."""

import re
import secrets
from copy import deepcopy

from sandbox.cloud.arm import arm_type, described, existing
from sandbox.cloud.authorization import KEY_VAULT_SECRETS_USER, has_role
from sandbox.cloud.errors import CloudError, invalid, not_found
from sandbox.cloud.shape import Shape, Text
from sandbox.cloud.state import Invoke, Properties, Resource, SoftDelete, State, always

VAULT = "azure-native:keyvault:Vault"
SECRET = "azure-native:keyvault:Secret"  # noqa: S105 - a type token
_PATH = "Microsoft.KeyVault/vaults"

_READERS = (
    KEY_VAULT_SECRETS_USER,
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",  # Key Vault Secrets Officer
)
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


def secret_by_identifier(state: State, identifier: str) -> tuple[Resource, Resource]:
    """Vault and secret that a secret identifier names, `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`."""
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
            if found is not None and version in {None, found.private["version"]}:
                return vault, found
    raise not_found("Key Vault secret", identifier, "keyVault.secretIdentifier")


def may_read(state: State, vault: Resource, secret: Resource, principal_id: str) -> bool:
    """Whether a principal may get the secret, by role on it or above, or by access policy, whichever the vault uses."""
    properties = vault.outputs["properties"]
    if properties["enableRbacAuthorization"]:
        return any(has_role(state, principal_id, role, secret.id) for role in _READERS)
    return any(
        policy["objectId"].lower() == principal_id.lower()
        and {"get", "all"} & {str(permission).lower() for permission in policy["permissions"].get("secrets") or ()}
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
    resource.private |= {"value": value, "version": version}


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
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:keyvault:getVault": lambda state, args: described(existing(state, _PATH, args, "vaultName")),
}
