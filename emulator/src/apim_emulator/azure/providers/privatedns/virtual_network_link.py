"""Links that let a virtual network resolve the names of a private DNS zone."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.network import VIRTUAL_NETWORK
from apim_emulator.azure.providers.privatedns import PATH, ZONE_LINK
from apim_emulator.azure.providers.privatedns.exceptions import BadRequestError
from apim_emulator.azure.providers.privatedns.private_zone import require_global
from apim_emulator.azure.resource_types import Shape, Text, always, arm_type
from apim_emulator.azure.state import Resource, State

_PATH = f"{PATH}/virtualNetworkLinks"


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    require_global(resource, _PATH)
    network_id = (resource.inputs.get("virtualNetwork") or {}).get("id")
    network = state.find(network_id) if isinstance(network_id, str) else None
    if network is None or network.token != VIRTUAL_NETWORK:
        raise ValidationError(f"virtualNetwork.id {network_id} is no virtual network", "virtualNetwork.id")
    for link in state.others(resource):
        zone = link.id.rpartition("/virtualNetworkLinks/")[0].rpartition("/")[2]
        if link.inputs["virtualNetwork"]["id"].lower() == network.id.lower() and zone.lower() == parent.name.lower():
            raise BadRequestError(
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link "
                f"virtual network with '{parent.name}' and '{zone}' zones.",
                "virtualNetwork.id",
            )
    resource.outputs |= {"provisioningState": "Succeeded", "virtualNetworkLinkState": "Completed"}


TYPE = arm_type(
    token=ZONE_LINK,
    path=_PATH,
    names="privateZoneName virtualNetworkLinkName",
    shape=Shape(
        "privateZoneName resourceGroupName",
        "location registrationEnabled resolutionPolicy tags virtualNetwork virtualNetworkLinkName",
        resolutionPolicy=Text(values=("Default", "NxDomainRedirect")),
        virtualNetwork=Shape("", "id"),
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?$",
    immutable={"virtualNetwork": always},
)
