"""The DNS zones that resolve a name to a private endpoint's address."""

from apim_emulator.azure.providers.network import PATH, PRIVATE_ENDPOINT, ZONE_GROUP
from apim_emulator.azure.providers.network.addresses import reference
from apim_emulator.azure.providers.network.exceptions import MoreThanOneZoneGroupError
from apim_emulator.azure.providers.privatedns import PRIVATE_ZONE
from apim_emulator.azure.resource_types import Shape, arm_type
from apim_emulator.azure.state import Resource, State


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    if parent.token == PRIVATE_ENDPOINT and any(state.others(resource, under=parent.id)):
        raise MoreThanOneZoneGroupError(f"the private endpoint {parent.id} has a DNS zone group already")
    for index, zone in enumerate(resource.inputs.get("privateDnsZoneConfigs") or ()):
        reference(state, zone.get("privateDnsZoneId"), PRIVATE_ZONE, f"privateDnsZoneConfigs[{index}].privateDnsZoneId")
    resource.outputs |= {"provisioningState": "Succeeded"}


TYPE = arm_type(
    token=ZONE_GROUP,
    path=f"{PATH}/privateEndpoints/privateDnsZoneGroups",
    names="privateEndpointName privateDnsZoneGroupName",
    shape=Shape(
        "privateEndpointName resourceGroupName",
        "id name privateDnsZoneConfigs privateDnsZoneGroupName",
        privateDnsZoneConfigs=Shape("", "name privateDnsZoneId"),
    ),
    complete=_complete,
)
