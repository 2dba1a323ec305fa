"""The virtual network of a service, and whether it answers the internet.

Sources: "Integrate an Azure API Management instance with a private virtual network for outbound connections", "Inject
an Azure API Management instance in a private virtual network - Premium v2 tier", "Network resource requirements for API
Management injection into a virtual network", "Connect privately to API Management by using an inbound private
endpoint".
"""

from collections.abc import Iterator

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import SERVICE
from apim_emulator.azure.providers.apimanagement.exceptions import (
    ActivateServiceWithPrivateEndpointAccessNotAllowedError,
    DisablingPublicNetworkAccessRequiredPrivateEndpointError,
    ManagingVirtualNetworkConfigurationNotSupportedError,
    NotSupportedError,
    VirtualNetworkSubnetHasIncorrectDelegationError,
)
from apim_emulator.azure.providers.apimanagement.tiers import TIERS
from apim_emulator.azure.providers.network import PRIVATE_ENDPOINT, SUBNET, VIRTUAL_NETWORK
from apim_emulator.azure.providers.network.addresses import (
    free_address,
    network_of,
    reference,
    subnet_prefixes,
    subnets_of_service,
)
from apim_emulator.azure.providers.network.subnet import delegations
from apim_emulator.azure.state import Properties, Resource, State

_SMALLEST = {"classic": 29, "v2": 27}
"""Longest prefix of a subnet for a service."""


def join_network(state: State, service: Resource, before: Resource | None) -> None:
    """Refuse networks that a new or changed service cannot be in, and add the addresses that it gets there."""
    inputs = service.inputs
    kind = _kind(inputs)
    _check_kind(service, kind)
    if before is not None:
        _check_switch(service, before)
    for region, place in _places(service):
        subnet_id = (place.get("virtualNetworkConfiguration") or {}).get("subnetResourceId")
        if subnet_id is not None:
            _check_subnet(state, service, kind, str(subnet_id), region)
    _check_public_access(state, service, before)
    if kind == "Internal":
        subnet = reference(state, next(subnets_of_service(service)), SUBNET, "virtualNetworkConfiguration")
        known = (before.outputs.get("privateIPAddresses") if before else None) or [free_address(state, subnet)]
        service.outputs["privateIPAddresses"] = list(known)


def _kind(inputs: Properties) -> str:
    return str(inputs.get("virtualNetworkType") or "None")


def _places(service: Resource) -> Iterator[tuple[str, Properties]]:
    """Yield each region of a service with the properties that it has there."""
    yield _region(service.outputs["location"]), service.inputs
    for location in service.inputs.get("additionalLocations") or ():
        yield _region(location["location"]), location


def _region(location: str) -> str:
    return location.replace(" ", "").lower()


def _check_kind(service: Resource, kind: str) -> None:
    """Refuse networks that a tier has not, in the words that users of StandardV2 quote; the others are inferred."""
    name = service.inputs["sku"]["name"]
    if kind not in {"None", *TIERS[name].networks}:
        raise ManagingVirtualNetworkConfigurationNotSupportedError(
            f"Setting up '{kind}' {kind} Virtual Network Type is not supported for Sku Type '{name}'.",
            "virtualNetworkType",
        )
    if any((kind != "None") != ("virtualNetworkConfiguration" in place) for _, place in _places(service)):
        raise ValidationError(
            f"virtualNetworkType {kind} and virtualNetworkConfiguration contradict each other",
            "virtualNetworkConfiguration",
        )
    if service.inputs.get("natGatewayState") == "Enabled" and TIERS[name].family != "classic":
        raise ValidationError(f"natGatewayState Enabled is not available in {name}", "natGatewayState")


def _check_switch(service: Resource, before: Resource) -> None:
    """Refuse to inject an existing service of a v2 tier, or to take it out; the words are inferred."""
    old, new = _kind(before.inputs), _kind(service.inputs)
    name = service.inputs["sku"]["name"]
    if TIERS[name].family == "v2" and old != new and "Internal" in (old, new):
        raise NotSupportedError(
            f"Changing the Virtual Network Type from '{old}' to '{new}' is not supported for Sku Type '{name}'.",
            "virtualNetworkType",
        )


def _check_subnet(state: State, service: Resource, kind: str, subnet_id: str, region: str) -> None:
    """Refuse a subnet that the service cannot use; only the words about a delegation are quoted from Azure."""
    target = "virtualNetworkConfiguration.subnetResourceId"
    subnet = reference(state, subnet_id, SUBNET, target)
    network = reference(state, network_of(subnet.id), VIRTUAL_NETWORK, target)
    name = service.inputs["sku"]["name"]
    family = TIERS[name].family
    if _region(network.outputs["location"]) != region or _subscription(network) != _subscription(service):
        raise ValidationError(
            f"{target}: the virtual network must be in the service's region {region} and in its subscription", target
        )
    _check_delegation(subnet, family, kind)
    if subnet.inputs.get("networkSecurityGroup") is None:
        raise ValidationError(f"{target}: the subnet {subnet.name} needs a network security group", target)
    if min(prefix.prefixlen for prefix in subnet_prefixes(subnet.inputs, target)) > _SMALLEST[family]:
        raise ValidationError(
            f"{target}: the subnet {subnet.name} is too small for {name}, which needs at least /{_SMALLEST[family]}",
            target,
        )
    for other in state.of(SERVICE):
        here = (found.lower() for found in subnets_of_service(other))
        if family == "v2" and other.id.lower() != service.id.lower() and subnet.id.lower() in here:
            raise ValidationError(f"{target}: the subnet {subnet.name} is used by {other.id} already", target)


def _check_delegation(subnet: Resource, family: str, kind: str) -> None:
    found = delegations(subnet)
    target = "virtualNetworkConfiguration.subnetResourceId"
    if family == "classic":
        if found:
            raise VirtualNetworkSubnetHasIncorrectDelegationError(
                f"SubnetId `{subnet.id}` should not have any delegations.", target
            )
        return
    wanted = "Microsoft.Web/serverFarms" if kind == "External" else "Microsoft.Web/hostingEnvironments"
    what = "outbound Virtual Network integration" if kind == "External" else "Virtual Network injection"
    if found != {wanted.lower()}:
        raise VirtualNetworkSubnetHasIncorrectDelegationError(
            f"API Management service V2 {what} with SubnetId `{subnet.id}` requires subnet to be delegated to "
            f"{wanted}. Please refer to https://aka.ms/apim-vnet-outbound for more details.",
            target,
        )


def _subscription(resource: Resource) -> str:
    return resource.id.split("/")[2].lower()


def _check_public_access(state: State, service: Resource, before: Resource | None) -> None:
    """Refuse to shut the internet out of a service that no private endpoint leads to, or that is new.

    The words are those of azurerm #21506 and azure-rest-api-specs #24947, whose code was NotSupported; the codes are
    those of newer versions.
    """
    if service.inputs.get("publicNetworkAccess") != "Disabled":
        return
    if before is None:
        raise ActivateServiceWithPrivateEndpointAccessNotAllowedError(
            f"Blocking all public network access by setting property `publicNetworkAccess` of API Management service "
            f"{service.id} is not enabled during service creation.",
            "publicNetworkAccess",
        )
    if not any(
        str(endpoint.inputs["privateLinkServiceConnections"][0]["privateLinkServiceId"]).lower() == service.id.lower()
        for endpoint in state.of(PRIVATE_ENDPOINT)
    ):
        raise DisablingPublicNetworkAccessRequiredPrivateEndpointError(
            f"Disabling all `publicNetworkAccess` for service: {service.id} is not supported if the service does not "
            "atleast one approved Private Endpoint Connections.",
            "publicNetworkAccess",
        )
