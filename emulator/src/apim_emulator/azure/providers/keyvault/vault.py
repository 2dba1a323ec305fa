"""Key vaults."""

from copy import deepcopy

from apim_emulator.azure.exceptions import CloudError
from apim_emulator.azure.providers.keyvault import PATH, VAULT
from apim_emulator.azure.providers.keyvault.exceptions import (
    BadRequestError,
    MethodNotAllowedError,
    SoftDeletedVaultDoesNotExistError,
    VaultAlreadyExistsError,
    VaultDeletedError,
)
from apim_emulator.azure.resource_types import Shape, SoftDelete, Text, always, arm_type, get_function
from apim_emulator.azure.state import Properties, Resource, State

_FEWEST_DAYS, _MOST_DAYS = 7, 90
"""Days for which a deleted vault may be kept, and by default is."""

_PROPERTIES = Shape(
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


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    properties = deepcopy(resource.inputs["properties"])
    properties.pop("createMode", None)
    if properties["tenantId"].lower() != state.tenant_id:
        raise BadRequestError(
            f"properties.tenantId {properties['tenantId']!r} is not the subscription's tenant {state.tenant_id}",
            "properties.tenantId",
        )
    rbac = properties.setdefault("enableRbacAuthorization", False)
    if not rbac and "accessPolicies" not in properties:
        raise BadRequestError(
            "properties.accessPolicies is missing; set it, or enableRbacAuthorization to true",
            "properties.accessPolicies",
        )
    _check_retention(state.find(resource.id), properties)
    properties |= {"vaultUri": f"https://{resource.name.lower()}.vault.azure.net/", "provisioningState": "Succeeded"}
    resource.outputs["properties"] = properties


def _check_retention(before: Resource | None, properties: Properties) -> None:
    """Refuse what weakens soft delete afterwards ("Azure Key Vault soft-delete overview")."""
    old = before.outputs["properties"] if before else {}
    days = properties.setdefault("softDeleteRetentionInDays", old.get("softDeleteRetentionInDays", _MOST_DAYS))
    if not _FEWEST_DAYS <= days <= _MOST_DAYS:
        raise BadRequestError(
            f"properties.softDeleteRetentionInDays {days} is not {_FEWEST_DAYS} to {_MOST_DAYS}",
            "properties.softDeleteRetentionInDays",
        )
    if days != old.get("softDeleteRetentionInDays", days):
        raise BadRequestError(
            "properties.softDeleteRetentionInDays has been set already and cannot be changed",
            "properties.softDeleteRetentionInDays",
        )
    if properties.get("enablePurgeProtection") is False or (
        old.get("enablePurgeProtection") and not properties.get("enablePurgeProtection")
    ):
        raise BadRequestError(
            "properties.enablePurgeProtection cannot be false; leave it out, and where it is true it stays so",
            "properties.enablePurgeProtection",
        )
    if properties.get("enableSoftDelete") is False:
        raise BadRequestError("properties.enableSoftDelete cannot be false", "properties.enableSoftDelete")
    properties["enableSoftDelete"] = True


def _purge_refusal(vault: Resource) -> CloudError | None:
    if not vault.outputs["properties"].get("enablePurgeProtection"):
        return None
    return MethodNotAllowedError(f"the vault {vault.name!r} has purge protection; it goes when its retention is over")


_SOFT_DELETE = SoftDelete(
    retention=lambda vault: vault.outputs["properties"]["softDeleteRetentionInDays"] * 24 * 3600.0,
    asks_to_restore=lambda inputs: inputs["properties"].get("createMode") == "recover",
    name_taken=lambda vault: VaultDeletedError(
        f"a vault with the name {vault.name!r} exists in deleted state; recover it with properties.createMode, or "
        "purge it",
        "vaultName",
    ),
    not_deleted=lambda vault: SoftDeletedVaultDoesNotExistError(
        f"there is no deleted vault {vault.name!r} to recover; leave out properties.createMode",
        "properties.createMode",
    ),
    purge_refused=_purge_refusal,
)


TYPE = arm_type(
    token=VAULT,
    path=PATH,
    names="vaultName",
    shape=Shape("properties resourceGroupName", "location tags vaultName", properties=_PROPERTIES),
    complete=_complete,
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
        "properties.softDeleteRetentionInDays": _MOST_DAYS,
    },
    unique_in_azure=VaultAlreadyExistsError,
    soft_delete=_SOFT_DELETE,
)

GET = get_function("azure-native:keyvault:getVault", PATH, "vaultName")
