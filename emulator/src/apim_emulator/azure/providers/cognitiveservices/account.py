"""Accounts: Azure OpenAI alone, a Foundry resource, or Azure AI Content Safety alone."""

from copy import deepcopy
from dataclasses import replace

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.access_keys import new_key
from apim_emulator.azure.providers.cognitiveservices import ACCOUNT, OPENAI_ENDPOINT, PATH
from apim_emulator.azure.providers.cognitiveservices.exceptions import (
    BadRequestError,
    CanNotRestoreANonExistingResourceError,
    CustomDomainInUseError,
    FlagMustBeSetForRestoreError,
    InvalidKindError,
)
from apim_emulator.azure.providers.managedidentity.identities import attach_identities
from apim_emulator.azure.resource_types import (
    Function,
    Shape,
    SoftDelete,
    Text,
    arm_type,
    existing,
    get_function,
    once_set,
)
from apim_emulator.azure.state import Properties, Resource, State

_KEYS = ("key1", "key2")

SKU = Shape("name", "capacity family size tier")

_PROPERTIES = Shape(
    "",
    "allowProjectManagement allowedFqdnList amlWorkspace apiProperties associatedProjects customSubDomainName "
    "defaultProject disableLocalAuth dynamicThrottlingEnabled encryption locations migrationToken networkAcls "
    "networkInjections publicNetworkAccess raiMonitorConfig restore restrictOutboundNetworkAccess userOwnedStorage",
    publicNetworkAccess=Text(values=("Enabled", "Disabled")),
)


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    for required in ("kind", "sku"):
        if resource.inputs.get(required) is None:
            raise ValidationError(f"{required} is missing; it is required", required)
    kind = resource.inputs["kind"]
    properties = deepcopy(resource.inputs.get("properties") or {})
    properties.pop("restore", None)
    subdomain = properties.get("customSubDomainName")
    if subdomain is None:
        host = f"{resource.outputs['location']}.api.cognitive.microsoft.com"
    else:
        _require_free_subdomain(state, resource, subdomain)
        host = f"{subdomain.lower()}.{'openai' if kind == 'OpenAI' else 'cognitiveservices'}.azure.com"
    if properties.get("allowProjectManagement"):
        _require_project_management(resource, kind)
    properties.setdefault("disableLocalAuth", False)
    properties |= {"endpoint": f"https://{host}/", "provisioningState": "Succeeded"}
    if subdomain is not None and kind == "AIServices":
        properties["endpoints"] = {
            "AI Foundry API": f"https://{subdomain.lower()}.services.ai.azure.com/",
            OPENAI_ENDPOINT: f"https://{subdomain.lower()}.openai.azure.com/",
        }
    resource.outputs["properties"] = properties
    resource.private.setdefault("keys", (new_key(), new_key()))
    attach_identities(state, resource)


def _require_project_management(account: Resource, kind: str) -> None:
    """Refuse projects of an account that cannot have them, as terraform-provider-azurerm does; the words are ours."""
    problem = ""
    if kind != "AIServices":
        problem = f"an account of the kind {kind}; only AIServices has projects"
    elif (account.inputs.get("identity") or {"type": "None"})["type"] == "None":
        problem = "an account without a managed identity"
    if problem:
        raise ValidationError(f"allowProjectManagement is true on {problem}", "properties.allowProjectManagement")


def _require_free_subdomain(state: State, account: Resource, subdomain: str) -> None:
    deleted = [found for found in state.deleted.values() if found.token == ACCOUNT]
    for other in (*state.others(account), *deleted):
        if str(other.outputs["properties"].get("customSubDomainName", "")).lower() == subdomain.lower():
            holder = "a deleted account; purge that one, or" if other in deleted else "another account;"
            raise CustomDomainInUseError(
                f"the subdomain {subdomain!r} is already used by {holder} pick another name",
                "properties.customSubDomainName",
            )


_SOFT_DELETE = SoftDelete(
    retention=lambda _account: 48 * 3600,
    asks_to_restore=lambda inputs: (inputs.get("properties") or {}).get("restore") is True,
    name_taken=lambda account: FlagMustBeSetForRestoreError(
        f"{account.id} has been soft-deleted; set properties.restore to true to restore it, or purge it first",
        "accountName",
    ),
    not_deleted=lambda account: CanNotRestoreANonExistingResourceError(
        f"there is no deleted {account.id} to restore; leave out properties.restore",
        "properties.restore",
    ),
)
"""Accounts are kept for 48 hours ("Recover or purge deleted Azure AI services resources")."""


TYPE = arm_type(
    token=ACCOUNT,
    path=PATH,
    names="accountName",
    shape=Shape(
        "resourceGroupName",
        "accountName identity kind location properties sku tags",
        identity=Shape("", "type userAssignedIdentities"),
        kind=Text(values=("OpenAI", "AIServices", "ContentSafety"), error=InvalidKindError),
        properties=_PROPERTIES,
        sku=SKU,
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$",
    # Azure refuses to change a subdomain once it is set (CognitiveServices: `Account`). Azure OpenAI and a Foundry
    # resource can each become the other, and nothing else can (terraform-provider-azurerm:
    # `cognitive_account_resource.go`).
    immutable={
        "kind": lambda old, new: "ContentSafety" in (old, new),
        "properties.customSubDomainName": once_set,
    },
    write_only=lambda _inputs: ("properties.restore",),
    soft_delete=_SOFT_DELETE,
)


def _list_keys(state: State, args: Properties) -> Properties:
    account = existing(state, PATH, args, "accountName")
    if account.outputs["properties"]["disableLocalAuth"]:
        raise BadRequestError(
            f"the keys of account {account.name!r} cannot be listed: disableLocalAuth is true",
            "accountName",
        )
    return dict(zip(_KEYS, account.private["keys"], strict=True))


def regenerate_key(state: State, account: Resource, key: str) -> None:
    """Put a new key in the place of one ("Accounts - Regenerate Key")."""
    if key not in _KEYS:
        raise ValidationError(f"keyName {key!r} is not {' or '.join(_KEYS)}", "keyName")
    keys = tuple(new_key() if name == key else old for name, old in zip(_KEYS, account.private["keys"], strict=True))
    state.put(replace(account, private=account.private | {"keys": keys}))


GET = get_function("azure-native:cognitiveservices:getAccount", PATH, "accountName")
LIST_KEYS = Function("azure-native:cognitiveservices:listAccountKeys", _list_keys)
