"""Azure OpenAI accounts and their model deployments (Microsoft.CognitiveServices)."""

from copy import deepcopy
from dataclasses import replace
from urllib.parse import urlsplit

from apim_emulator.azure.arm import arm_type, described, existing
from apim_emulator.azure.errors import CloudError, invalid
from apim_emulator.azure.keys import new_key
from apim_emulator.azure.managedidentity import attach
from apim_emulator.azure.models import check_model, check_spillover, sku_of
from apim_emulator.azure.shape import Shape, Text
from apim_emulator.azure.state import Invoke, Properties, Resource, SoftDelete, State, once_set
from apim_emulator.model import Account, ModelDeployment

ACCOUNT = "azure-native:cognitiveservices:Account"
DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
_PATH = "Microsoft.CognitiveServices/accounts"
_OPENAI_ENDPOINT = "OpenAI Language Model Instance API"
_KEYS = ("key1", "key2")

_SKU = Shape("name", "capacity family size tier")
_ACCOUNT_PROPERTIES = Shape(
    "",
    "allowProjectManagement allowedFqdnList amlWorkspace apiProperties associatedProjects customSubDomainName "
    "defaultProject disableLocalAuth dynamicThrottlingEnabled encryption locations migrationToken networkAcls "
    "networkInjections publicNetworkAccess raiMonitorConfig restore restrictOutboundNetworkAccess userOwnedStorage",
    publicNetworkAccess=Text(values=("Enabled", "Disabled")),
)
_DEPLOYMENT_PROPERTIES = Shape(
    "",
    "capacitySettings currentCapacity model parentDeploymentName raiPolicyName scaleSettings "
    "spilloverDeploymentName versionUpgradeOption",
    model=Shape("", "format name publisher source sourceAccount version"),
    versionUpgradeOption=Text(values=("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade")),
)


def accounts(state: State) -> tuple[Account, ...]:
    """Accounts with an endpoint of their own; those without a custom subdomain accept no Microsoft Entra token."""
    return tuple(
        Account(
            id=account.id,
            host=_openai_host(account.outputs["properties"]),
            keys=(account.private["keys"][0], account.private["keys"][1]),
            local_auth=not account.outputs["properties"]["disableLocalAuth"],
            deployments=tuple(_model(deployment) for deployment in state.of(DEPLOYMENT, under=account.id)),
        )
        for account in state.of(ACCOUNT)
        if "customSubDomainName" in account.outputs["properties"]
    )


def _openai_host(properties: Properties) -> str:
    """Host of Azure OpenAI's operations; a Foundry resource has others beside it."""
    url = properties.get("endpoints", {}).get(_OPENAI_ENDPOINT, properties["endpoint"])
    return str(urlsplit(url).hostname)


def _model(deployment: Resource) -> ModelDeployment:
    model = deployment.outputs["properties"]["model"]
    return ModelDeployment(name=deployment.name, model=model["name"], version=model.get("version"))


def _complete_account(state: State, resource: Resource, _parent: Resource) -> None:
    for required in ("kind", "sku"):
        if resource.inputs.get(required) is None:
            raise invalid(f"{required} is missing; it is required", required)
    kind = resource.inputs["kind"]
    properties = deepcopy(resource.inputs.get("properties") or {})
    properties.pop("restore", None)
    subdomain = properties.get("customSubDomainName")
    if subdomain is None:
        host = f"{resource.outputs['location']}.api.cognitive.microsoft.com"
    else:
        _require_free(state, resource, subdomain)
        host = f"{subdomain.lower()}.{'openai' if kind == 'OpenAI' else 'cognitiveservices'}.azure.com"
    if properties.get("allowProjectManagement"):
        _require_project_management(resource, kind)
    properties.setdefault("disableLocalAuth", False)
    properties |= {"endpoint": f"https://{host}/", "provisioningState": "Succeeded"}
    if subdomain is not None and kind == "AIServices":
        properties["endpoints"] = {
            "AI Foundry API": f"https://{subdomain.lower()}.services.ai.azure.com/",
            _OPENAI_ENDPOINT: f"https://{subdomain.lower()}.openai.azure.com/",
        }
    resource.outputs["properties"] = properties
    resource.private.setdefault("keys", (new_key(), new_key()))
    attach(state, resource)


def _require_project_management(account: Resource, kind: str) -> None:
    """Refuse projects of an account that cannot have them, as terraform-provider-azurerm does; the words are ours."""
    problem = ""
    if kind != "AIServices":
        problem = f"an account of the kind {kind}; only AIServices has projects"
    elif (account.inputs.get("identity") or {"type": "None"})["type"] == "None":
        problem = "an account without a managed identity"
    if problem:
        raise invalid(f"allowProjectManagement is true on {problem}", "properties.allowProjectManagement")


def _require_free(state: State, account: Resource, subdomain: str) -> None:
    deleted = [found for found in state.deleted.values() if found.token == ACCOUNT]
    for other in (*state.others(account), *deleted):
        if str(other.outputs["properties"].get("customSubDomainName", "")).lower() == subdomain.lower():
            holder = "a deleted account; purge that one, or" if other in deleted else "another account;"
            raise CloudError(
                "CustomDomainInUse",
                f"the subdomain {subdomain!r} is already used by {holder} pick another name",
                "properties.customSubDomainName",
            )


def _complete_deployment(state: State, resource: Resource, parent: Resource) -> None:
    properties = deepcopy(resource.inputs.get("properties") or {})
    model = properties.get("model") or {}
    for required in ("format", "name"):
        if not model.get(required):
            raise CloudError(
                "InvalidResourceProperties",
                f"properties.model.{required} is missing; it is required",
                f"properties.model.{required}",
            )
    if (resource.inputs.get("sku") or {}).get("capacity", 1) < 1:
        raise CloudError("InvalidCapacity", "sku.capacity must be 1 or more", "sku.capacity")
    check_model(parent.inputs["kind"], model, sku_of(resource.inputs))
    if (spillover := properties.get("spilloverDeploymentName")) is not None:
        target = state.find(f"{parent.id}/deployments/{spillover}")
        check_spillover(resource.inputs, target.inputs if target else None, spillover)
    properties.setdefault("versionUpgradeOption", "OnceNewDefaultVersionAvailable")
    resource.outputs["properties"] = properties | {"provisioningState": "Succeeded"}


_SOFT_DELETE = SoftDelete(
    retention=lambda _account: 48 * 3600,
    asked=lambda inputs: (inputs.get("properties") or {}).get("restore") is True,
    taken=lambda account: CloudError(
        "FlagMustBeSetForRestore",
        f"{account.id} has been soft-deleted; set properties.restore to true to restore it, or purge it first",
        "accountName",
    ),
    absent=lambda account: CloudError(
        "CanNotRestoreANonExistingResource",
        f"there is no deleted {account.id} to restore; leave out properties.restore",
        "properties.restore",
    ),
)
"""Accounts are kept for 48 hours ("Recover or purge deleted Azure AI services resources")."""


def _list_keys(state: State, args: Properties) -> Properties:
    account = existing(state, _PATH, args, "accountName")
    if account.outputs["properties"]["disableLocalAuth"]:
        raise CloudError(
            "BadRequest",
            f"the keys of account {account.name!r} cannot be listed: disableLocalAuth is true",
            "accountName",
        )
    return dict(zip(_KEYS, account.private["keys"], strict=True))


def regenerate_key(state: State, account: Resource, key: str) -> None:
    """Put a new key in the place of one ("Accounts - Regenerate Key")."""
    if key not in _KEYS:
        raise invalid(f"keyName {key!r} is not {' or '.join(_KEYS)}", "keyName")
    keys = tuple(new_key() if name == key else old for name, old in zip(_KEYS, account.private["keys"], strict=True))
    state.put(replace(account, private=account.private | {"keys": keys}))


TYPES = (
    arm_type(
        ACCOUNT,
        _PATH,
        "accountName",
        Shape(
            "resourceGroupName",
            "accountName identity kind location properties sku tags",
            identity=Shape("", "type userAssignedIdentities"),
            kind=Text(values=("OpenAI", "AIServices"), code="InvalidKind"),
            properties=_ACCOUNT_PROPERTIES,
            sku=_SKU,
        ),
        _complete_account,
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$",
        # Azure refuses to change a subdomain once it is set (CognitiveServices: `Account`). Each of the kinds here can
        # become the other (terraform-provider-azurerm: `cognitive_account_resource.go`).
        immutable={"properties.customSubDomainName": once_set},
        write_only=lambda _inputs: ("properties.restore",),
        soft_delete=_SOFT_DELETE,
    ),
    arm_type(
        DEPLOYMENT,
        f"{_PATH}/deployments",
        "accountName deploymentName",
        Shape(
            "accountName resourceGroupName",
            "deploymentName properties sku tags",
            properties=_DEPLOYMENT_PROPERTIES,
            sku=_SKU,
        ),
        _complete_deployment,
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$",
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:cognitiveservices:getAccount": lambda state, args: described(
        existing(state, _PATH, args, "accountName")
    ),
    "azure-native:cognitiveservices:listAccountKeys": _list_keys,
}
