"""Workbooks: pages with queries, kept as JSON."""

import json

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.applicationinsights import WORKBOOK
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_PATH = "Microsoft.Insights/workbooks"


def _complete(_state: State, resource: Resource, _group: Resource) -> None:
    """Check the content, and add what the service adds (terraform-provider-azurerm, `..._workbook_resource.go`)."""
    for required in ("category", "displayName", "serializedData"):
        if not resource.inputs[required]:
            raise ValidationError(f"{required} is empty", required)
    try:
        json.loads(resource.inputs["serializedData"])
    except (TypeError, ValueError):
        raise ValidationError("serializedData is not JSON", "serializedData") from None
    source = resource.inputs.get("sourceId") or "azure monitor"
    title = {"hidden-title": resource.inputs["displayName"]}
    resource.outputs |= {
        "kind": "shared",
        "sourceId": source.lower(),
        "tags": (resource.inputs.get("tags") or {}) | title,
    }


TYPE = arm_type(
    token=WORKBOOK,
    path=_PATH,
    names="resourceName",
    shape=Shape(
        "category displayName resourceGroupName serializedData",
        "description identity kind location resourceName sourceId storageUri tags version",
        identity=Shape("type", "userAssignedIdentities"),
        kind=Text(values=("shared",)),
    ),
    complete=_complete,
    pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
)

GET = get_function("azure-native:applicationinsights:getWorkbook", _PATH, "resourceName")
