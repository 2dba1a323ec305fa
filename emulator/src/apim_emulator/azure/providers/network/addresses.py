"""Ranges of addresses, and what uses those of a subnet."""

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network
from typing import Any

from apim_emulator.azure.providers.apimanagement import SERVICE
from apim_emulator.azure.providers.network import PRIVATE_ENDPOINT
from apim_emulator.azure.providers.network.exceptions import (
    InvalidAddressPrefixFormatError,
    InvalidResourceReferenceError,
)
from apim_emulator.azure.state import Properties, Resource, State

_RESERVED = 4
"""The first addresses of a subnet that Azure keeps for itself ("Azure Virtual Network FAQ")."""


def prefixes(values: list[Any], target: str) -> list[IPv4Network]:
    """Read ranges in CIDR notation; refuses other text, and addresses that are not the first of their range."""
    try:
        return [IPv4Network(value) for value in values]
    except ValueError:
        raise InvalidAddressPrefixFormatError(
            f"Address prefix {', '.join(map(str, values))} is not formatted correctly. It should follow CIDR notation, "
            "for example 10.0.0.0/24.",
            target,
        ) from None


def subnet_prefixes(inputs: Properties, target: str) -> list[IPv4Network]:
    """Read the ranges of a subnet, which gives one or several."""
    one = inputs.get("addressPrefix")
    return prefixes([one] if one is not None else list(inputs.get("addressPrefixes") or ()), target)


def network_of(subnet_id: str) -> str:
    """ID of the virtual network of a subnet."""
    return subnet_id.rstrip("/").rpartition("/subnets/")[0]


def reference(state: State, resource_id: object, token: str, target: str) -> Resource:
    """Resource of a type that another one names by ID."""
    found = state.find(resource_id) if isinstance(resource_id, str) else None
    if found is None or found.token != token:
        raise InvalidResourceReferenceError(
            f"Resource {resource_id} referenced by {target} was not found. Please make sure that the referenced "
            "resource exists.",
            target,
        )
    return found


def subnets_of_service(service: Resource) -> Iterator[str]:
    """IDs of the subnets that a service is in, one for each of its locations."""
    for place in (service.inputs, *(service.inputs.get("additionalLocations") or ())):
        subnet = (place.get("virtualNetworkConfiguration") or {}).get("subnetResourceId")
        if subnet is not None:
            yield str(subnet)


def users(state: State, subnet_id: str) -> list[Resource]:
    """Find what uses a subnet: services and private endpoints."""
    wanted = subnet_id.lower()
    found = [
        service
        for service in state.of(SERVICE)
        if any(subnet.rstrip("/").lower() == wanted for subnet in subnets_of_service(service))
    ]
    return found + [
        endpoint
        for endpoint in state.of(PRIVATE_ENDPOINT)
        if str(endpoint.inputs["subnet"]["id"]).rstrip("/").lower() == wanted
    ]


def free_address(state: State, subnet: Resource) -> str:
    """Next free address of a subnet."""
    taken = {
        address
        for user in users(state, subnet.id)
        for address in (*user.private.get("addresses", ()), *(user.outputs.get("privateIPAddresses") or ()))
    }
    network = ip_network(subnet_prefixes(subnet.inputs, "addressPrefix")[0])
    return next(str(host) for number, host in enumerate(network) if number >= _RESERVED and str(host) not in taken)
