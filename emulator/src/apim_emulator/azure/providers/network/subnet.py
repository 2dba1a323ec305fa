"""Subnets of a virtual network."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.network import PATH, SECURITY_GROUP, SUBNET
from apim_emulator.azure.providers.network.addresses import (
    prefixes,
    reference,
    subnet_prefixes,
    users,
)
from apim_emulator.azure.providers.network.exceptions import (
    InUsePrefixCannotBeDeletedError,
    InUseSubnetCannotBeDeletedError,
    SubnetMissingRequiredDelegationError,
    SubnetRangeOutsideNetworkError,
    SubnetRangesOverlapError,
)
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_PATH = f"{PATH}/virtualNetworks/subnets"

_PROPERTIES = (
    "addressPrefix addressPrefixes applicationGatewayIPConfigurations defaultOutboundAccess delegations id "
    "ipAllocations ipamPoolPrefixAllocations name natGateway networkSecurityGroup privateEndpointNetworkPolicies "
    "privateLinkServiceNetworkPolicies routeTable serviceEndpointPolicies serviceEndpoints sharingScope type"
)
_INSIDE: dict[str, Shape | Text] = {
    "delegations": Shape("", "actions etag id name serviceName type"),
    "privateEndpointNetworkPolicies": Text(
        values=("Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled")
    ),
    "privateLinkServiceNetworkPolicies": Text(values=("Disabled", "Enabled")),
}

SHAPE = Shape(
    "",
    f"{_PROPERTIES} etag provisioningState resourceNavigationLinks serviceAssociationLinks serviceGateway",
    **_INSIDE,
)
"""A subnet inside another resource."""


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    in_network(state, resource, parent)


def in_network(state: State, subnet: Resource, network: Resource) -> None:
    """Check a new or changed subnet against its network and the other subnets, and add its outputs."""
    inputs, target = subnet.inputs, "addressPrefix"
    own = subnet_prefixes(inputs, target)
    if not own:
        raise ValidationError(f"{target} is missing; a subnet needs a range of addresses", target)
    space = prefixes(list(network.inputs["addressSpace"]["addressPrefixes"]), "addressSpace.addressPrefixes")
    if not all(any(part.subnet_of(whole) for whole in space) for part in own):
        raise SubnetRangeOutsideNetworkError(
            f"Subnet '{subnet.name}' is not valid because its IP address range is outside the IP address range of "
            f"virtual network '{network.name}'.",
            target,
        )
    for other in state.others(subnet, under=network.id):
        if any(part.overlaps(taken) for part in own for taken in subnet_prefixes(other.inputs, target)):
            raise SubnetRangesOverlapError(
                f"Subnet '{subnet.name}' is not valid because its IP address range overlaps with that of an existing "
                f"subnet in virtual network '{network.name}': '{other.name}'.",
                target,
            )
    if (group := inputs.get("networkSecurityGroup")) is not None:
        reference(state, group.get("id"), SECURITY_GROUP, f"{subnet.id}/networkSecurityGroup")
    _check_change(state, subnet)
    subnet.outputs |= {"name": subnet.name, "provisioningState": "Succeeded"}


def delegations(subnet: Resource) -> set[str]:
    """Services that a subnet is delegated to, in lower case."""
    return {str(found.get("serviceName")).lower() for found in subnet.inputs.get("delegations") or ()}


def _check_change(state: State, subnet: Resource) -> None:
    """Refuse to change under a user's feet what it relies on."""
    before = state.find(subnet.id)
    if before is None or not (used := users(state, subnet.id)):
        return
    old, new = (set(subnet_prefixes(found.inputs, "addressPrefix")) for found in (before, subnet))
    for gone in sorted(old - new):
        raise InUsePrefixCannotBeDeletedError(
            f"IpPrefix {gone} on Subnet {subnet.name} has active allocations and cannot be deleted.", "addressPrefix"
        )
    if lost := delegations(before) - delegations(subnet):
        raise SubnetMissingRequiredDelegationError(
            f"Subnet {subnet.id} requires any of the following delegation(s) {sorted(lost)} to reference service "
            f"association link of {used[0].id}.",
            "delegations",
        )


def refuse_while_used(state: State, subnet: Resource) -> None:
    """Refuse to delete a subnet that something uses."""
    if used := users(state, subnet.id):
        raise InUseSubnetCannotBeDeletedError(
            f"Subnet {subnet.name} is in use by {used[0].id} and cannot be deleted. In order to delete the subnet, "
            "delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


TYPE = arm_type(
    token=SUBNET,
    path=_PATH,
    names="virtualNetworkName subnetName",
    shape=Shape("resourceGroupName virtualNetworkName", f"subnetName {_PROPERTIES}", **_INSIDE),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?$",
    # What pulumi-azure-native sends for properties left out (`Subnet`).
    defaults={"privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"},
    on_delete=refuse_while_used,
)

GET = get_function("azure-native:network:getSubnet", _PATH, "virtualNetworkName subnetName")
