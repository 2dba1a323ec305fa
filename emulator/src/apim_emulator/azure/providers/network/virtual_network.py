"""Virtual networks."""

from ipaddress import IPv4Network
from itertools import combinations

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.network import PATH, SUBNET, VIRTUAL_NETWORK
from apim_emulator.azure.providers.network.addresses import prefixes, subnet_prefixes
from apim_emulator.azure.providers.network.exceptions import InUsePrefixCannotBeDeletedError
from apim_emulator.azure.providers.network.subnet import SHAPE, in_network, refuse_while_used
from apim_emulator.azure.resource_types import Shape, arm_type, get_function
from apim_emulator.azure.state import Properties, Resource, State

_PATH = f"{PATH}/virtualNetworks"


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    space = (resource.inputs.get("addressSpace") or {}).get("addressPrefixes") or ()
    target = "addressSpace.addressPrefixes"
    if not space:
        raise ValidationError(f"{target} is missing; a network needs at least one range", target)
    ranges = prefixes(list(space), target)
    if any(one.overlaps(other) for one, other in combinations(ranges, 2)):
        raise ValidationError(f"{target}: the ranges {', '.join(space)} overlap", target)
    _keep_subnets_inside(state, resource, ranges)
    if "subnets" in resource.inputs:
        _replace_subnets(state, resource, list(resource.inputs["subnets"]))
    resource.outputs |= {"provisioningState": "Succeeded"}


def _keep_subnets_inside(state: State, network: Resource, ranges: list[IPv4Network]) -> None:
    """Refuse to take addresses away that a subnet has."""
    for subnet in state.of(SUBNET, under=network.id):
        for own in subnet_prefixes(subnet.inputs, "addressPrefix"):
            if not any(own.subnet_of(whole) for whole in ranges):
                raise InUsePrefixCannotBeDeletedError(
                    f"IpPrefix {own} on Subnet {subnet.name} has active allocations and cannot be deleted.",
                    "addressSpace.addressPrefixes",
                )


def _replace_subnets(state: State, network: Resource, given: list[Properties]) -> None:
    """Make the subnets those that the network lists: a list leaves no other subnet (pulumi-azure-native #74, #611).

    Without a list, the subnets stay: the provider sends those that there are (`maintainSubResourceIfUnset`).
    """
    names = {str(subnet["name"]).lower() for subnet in given}
    for subnet in list(state.of(SUBNET, under=network.id)):
        if subnet.name.lower() not in names:
            refuse_while_used(state, subnet)
            state.remove(subnet.id)
    for properties in given:
        resource_id = f"{network.id}/subnets/{properties['name']}"
        subnet = Resource(id=resource_id, token=SUBNET, inputs=dict(properties), outputs=dict(properties))
        in_network(state, subnet, network)
        state.put(subnet)


def _delete(state: State, network: Resource) -> None:
    for subnet in state.of(SUBNET, under=network.id):
        refuse_while_used(state, subnet)


TYPE = arm_type(
    token=VIRTUAL_NETWORK,
    path=_PATH,
    names="virtualNetworkName",
    shape=Shape(
        "resourceGroupName",
        "addressSpace bgpCommunities ddosProtectionPlan dhcpOptions enableDdosProtection enableVmProtection encryption "
        "extendedLocation flowTimeoutInMinutes id ipAllocations location privateEndpointVNetPolicies subnets tags "
        "virtualNetworkName virtualNetworkPeerings",
        addressSpace=Shape("", "addressPrefixes ipamPoolPrefixAllocations"),
        subnets=SHAPE,
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_])?$",
    # What pulumi-azure-native sends for properties left out (`VirtualNetwork`).
    defaults={"enableDdosProtection": False, "enableVmProtection": False},
    on_delete=_delete,
)

GET = get_function("azure-native:network:getVirtualNetwork", _PATH, "virtualNetworkName")
