"""ARM resource IDs: `/subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}`."""

import re
from typing import NamedTuple

import pulumi

_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/[^/]+(?:/[^/]+/[^/]+)+", re.IGNORECASE)


def name_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the name of the resource, the last segment of its ID."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: _checked(value).string.rsplit("/", 1)[1])


def resource_group_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the resource group that holds the resource."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: str(_checked(value)[2]))


def subscription_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the ID of the subscription that holds the resource."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: str(_checked(value)[1]))


class NetworkPlace(NamedTuple):
    """Where a virtual network is."""

    id: str
    subscription_id: str
    resource_group: str
    name: str


class SubnetPlace(NamedTuple):
    """Where a subnet is."""

    subscription_id: str
    resource_group: str
    network: str
    name: str


def subnet_of(subnet_id: str) -> SubnetPlace:
    """Return the parts of a subnet's ID."""
    parts = _checked(subnet_id).string.split("/")
    return SubnetPlace(parts[2], parts[4], parts[8], parts[10])


def network_of(subnet_id: str) -> NetworkPlace:
    """Return the virtual network of a subnet."""
    subnet = subnet_of(subnet_id)
    return NetworkPlace(
        subnet_id.rpartition("/subnets/")[0], subnet.subscription_id, subnet.resource_group, subnet.network
    )


def _checked(resource_id: str) -> re.Match[str]:
    match = _ID.fullmatch(resource_id)
    if match is None:
        raise pulumi.RunError(
            f'"{resource_id}" is not a resource ID; allowed: /subscriptions/ID/resourceGroups/GROUP/providers/'
            "NAMESPACE/TYPE/NAME; copy it from the resource's properties"
        )
    return match
