"""Resource groups."""

from apim_emulator.azure.exceptions import LocationRequiredError
from apim_emulator.azure.providers.resources import RESOURCE_GROUP
from apim_emulator.azure.resource_types import ResourceType, Shape, Text, always, auto_name
from apim_emulator.azure.state import Properties, Resource, State

_NAME = Text(r"^[-\w\._\(\)]{1,90}$")


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    name = inputs.get("resourceGroupName") or auto_name(state, RESOURCE_GROUP, logical_name)
    _NAME.check(name, "resourceGroupName")
    if inputs.get("location") is None:
        raise LocationRequiredError("location is missing; set it, or azure-native:location", "location")
    return _filled(f"/subscriptions/{state.subscription_id}/resourceGroups/{name}", inputs)


def _filled(resource_id: str, inputs: Properties) -> Resource:
    name = resource_id.rsplit("/", 1)[1]
    outputs = {key: value for key, value in inputs.items() if key != "resourceGroupName"}
    outputs |= {
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }
    return Resource(id=resource_id, token=RESOURCE_GROUP, inputs={**inputs, "resourceGroupName": name}, outputs=outputs)


TYPE = ResourceType(
    token=RESOURCE_GROUP,
    shape=Shape(optional="location managedBy resourceGroupName tags", resourceGroupName=_NAME),
    create=_create,
    update=lambda _state, group, inputs: _filled(group.id, inputs),
    immutable={"location": always, "resourceGroupName": always},
    assigned=frozenset({"location", "resourceGroupName"}),
)
