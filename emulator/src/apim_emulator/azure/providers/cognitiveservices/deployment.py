"""Model deployments of an account."""

from copy import deepcopy

from apim_emulator.azure.providers.cognitiveservices import DEPLOYMENT, PATH
from apim_emulator.azure.providers.cognitiveservices.account import SKU
from apim_emulator.azure.providers.cognitiveservices.exceptions import (
    InvalidCapacityError,
    InvalidResourcePropertiesError,
)
from apim_emulator.azure.providers.cognitiveservices.model_catalog import check_model, check_spillover, sku_of
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State

_PROPERTIES = Shape(
    "",
    "capacitySettings currentCapacity model parentDeploymentName raiPolicyName scaleSettings "
    "spilloverDeploymentName versionUpgradeOption",
    model=Shape("", "format name publisher source sourceAccount version"),
    versionUpgradeOption=Text(values=("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade")),
)


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    properties = deepcopy(resource.inputs.get("properties") or {})
    model = properties.get("model") or {}
    for required in ("format", "name"):
        if not model.get(required):
            raise InvalidResourcePropertiesError(
                f"properties.model.{required} is missing; it is required",
                f"properties.model.{required}",
            )
    if (resource.inputs.get("sku") or {}).get("capacity", 1) < 1:
        raise InvalidCapacityError("sku.capacity must be 1 or more", "sku.capacity")
    check_model(parent.inputs["kind"], model, sku_of(resource.inputs))
    if (spillover := properties.get("spilloverDeploymentName")) is not None:
        target = state.find(f"{parent.id}/deployments/{spillover}")
        check_spillover(resource.inputs, target.inputs if target else None, spillover)
    properties.setdefault("versionUpgradeOption", "OnceNewDefaultVersionAvailable")
    resource.outputs["properties"] = properties | {"provisioningState": "Succeeded"}


TYPE = arm_type(
    token=DEPLOYMENT,
    path=f"{PATH}/deployments",
    names="accountName deploymentName",
    shape=Shape(
        "accountName resourceGroupName",
        "deploymentName properties sku tags",
        properties=_PROPERTIES,
        sku=SKU,
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$",
)
