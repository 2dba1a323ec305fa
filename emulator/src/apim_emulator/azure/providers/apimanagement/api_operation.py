"""Operations of APIs that are not imported, or that an import lacks."""

import re
from typing import Any

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import OPERATION, PATH
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State
from apim_emulator.model import Operation

_PARAMETERS = Shape("name type", "defaultValue description examples required schemaId typeName values")


def outputs(operation: Operation) -> dict[str, Any]:
    """Return what an imported operation is on Azure; the display name is its ID (inferred)."""
    return {
        "name": operation.name,
        "displayName": operation.name,
        "method": operation.method,
        "urlTemplate": operation.url_template,
    }


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    if inputs.get("policies"):
        raise ValidationError("policies is not modelled; use ApiOperationPolicy", "policies")
    method, template = inputs["method"].upper(), inputs["urlTemplate"]
    for other in state.others(resource, under=parent.id):
        if (other.outputs["method"].upper(), other.outputs.get("urlTemplate")) == (method, template):
            # As Azure says it (quoted by jaliyaudagedara.blogspot.com, 2024-11).
            raise ValidationError(
                f"Operation with the same method and URL template already exists: {method}, {template}", "urlTemplate"
            )
    used = {name.removeprefix("*") for name in re.findall(r"\{([^{}]+)\}", template)}
    defined = {found["name"].removeprefix("*") for found in inputs.get("templateParameters") or ()}
    if used != defined:
        # As Azure says it (Azure/azure-sdk-for-net #35802); of wildcards hashicorp/terraform-provider-azurerm #29895.
        raise ValidationError(
            "All template parameters used in the UriTemplate must be defined in the Operation"
            f" '{inputs['displayName']}', and vice-versa.",
            "templateParameters",
        )


TYPE = arm_type(
    token=OPERATION,
    path=f"{PATH}/apis/operations",
    names="serviceName apiId operationId",
    shape=Shape(
        "apiId displayName method resourceGroupName serviceName urlTemplate",
        "description operationId policies request responses templateParameters",
        displayName=Text(r"^[\s\S]{1,300}$"),
        description=Text(r"^[\s\S]{0,1000}$"),
        urlTemplate=Text(r"^[\s\S]{1,1000}$"),
        templateParameters=_PARAMETERS,
    ),
    complete=_complete,
    pattern="^.{1,80}$",
)

GET = get_function(
    "azure-native:apimanagement:getApiOperation", f"{PATH}/apis/operations", "serviceName apiId operationId"
)
