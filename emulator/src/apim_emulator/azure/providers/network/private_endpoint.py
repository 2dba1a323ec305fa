"""Private endpoints: an address in a subnet that leads to a resource elsewhere."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import SERVICE
from apim_emulator.azure.providers.apimanagement.exceptions import (
    NotSupportedError,
    PrivateEndpointNotSupportedInServiceSkuError,
)
from apim_emulator.azure.providers.apimanagement.tiers import TIERS
from apim_emulator.azure.providers.cognitiveservices import ACCOUNT
from apim_emulator.azure.providers.network import PATH, PRIVATE_ENDPOINT, SUBNET
from apim_emulator.azure.providers.network.addresses import free_address, network_of, reference
from apim_emulator.azure.providers.network.exceptions import (
    InvalidResourceReferenceError,
    PrivateEndpointInDelegatedSubnetError,
)
from apim_emulator.azure.providers.network.names import GROUPS, hosts
from apim_emulator.azure.providers.network.subnet import delegations
from apim_emulator.azure.resource_types import Shape, always, arm_type
from apim_emulator.azure.state import Resource, State

_APPROVED = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    inputs = resource.inputs
    subnet = reference(state, (inputs.get("subnet") or {}).get("id"), SUBNET, "subnet.id")
    network = state.find(network_of(subnet.id))
    if network is None:
        raise InvalidResourceReferenceError(f"the network of {subnet.id} was not found", "subnet.id")
    if _region(network) != _region(resource):
        # "What is a private endpoint?": it must be deployed in the same region as the network. The words are inferred.
        raise InvalidResourceReferenceError(
            f"private endpoint {resource.name} is in {resource.outputs['location']}, and its network in "
            f"{network.outputs['location']}; both must be in the same region",
            "location",
        )
    if delegated := delegations(subnet):
        # "Integrate an Azure API Management instance with a private virtual network": such a subnet cannot be shared
        # with another resource. The words are inferred.
        raise PrivateEndpointInDelegatedSubnetError(
            f"Private endpoint {resource.name} cannot be created in subnet {subnet.id}, which is delegated to "
            f"{', '.join(sorted(delegated))}.",
            "subnet.id",
        )
    connections = list(inputs.get("privateLinkServiceConnections") or ())
    if len(connections) != 1 or inputs.get("manualPrivateLinkServiceConnections"):
        raise ValidationError(
            "privateLinkServiceConnections must have one connection, and manual ones are not modelled",
            "privateLinkServiceConnections",
        )
    connection = connections[0]
    target = _target(state, connection.get("privateLinkServiceId"), list(connection.get("groupIds") or ()))
    before = state.find(resource.id)
    if before is None:
        resource.private["addresses"] = [free_address(state, subnet)]
    addresses = resource.private["addresses"]
    resource.outputs |= {
        "customDnsConfigs": [{"fqdn": host, "ipAddresses": list(addresses)} for host in hosts(target)],
        "privateLinkServiceConnections": [
            {**connection, "privateLinkServiceConnectionState": _APPROVED, "provisioningState": "Succeeded"}
        ],
        "networkInterfaces": [{"id": f"{resource.id.rpartition('/')[0]}/{resource.name}.nic"}],
        "provisioningState": "Succeeded",
    }


def _region(resource: Resource) -> str:
    return str(resource.outputs["location"]).replace(" ", "").lower()


def _target(state: State, resource_id: object, groups: list[str]) -> Resource:
    """Resource that an endpoint leads to; refuses one that takes no endpoint, or not for these groups."""
    target = state.find(resource_id) if isinstance(resource_id, str) else None
    if target is None:
        raise InvalidResourceReferenceError(
            f"Resource {resource_id} referenced by privateLinkServiceConnections was not found.",
            "privateLinkServiceConnections[0].privateLinkServiceId",
        )
    if target.token == SERVICE:
        _check_service(target, groups)
    wanted = GROUPS.get(target.token)
    if wanted is None or groups != [wanted]:
        allowed = "takes no private endpoint here" if wanted is None else f"has the group {wanted}"
        raise ValidationError(
            f"privateLinkServiceConnections[0].groupIds {groups}: {target.id} {allowed}",
            "privateLinkServiceConnections[0].groupIds",
        )
    if target.token == ACCOUNT and not target.outputs["properties"].get("customSubDomainName"):
        # "Configure Foundry Tools virtual networks": private endpoints need a custom subdomain. The words are inferred.
        raise ValidationError(
            f"{target.id} has no custom subdomain, which a private endpoint needs",
            "privateLinkServiceConnections[0].privateLinkServiceId",
        )
    return target


def _check_service(service: Resource, groups: list[str]) -> None:
    """Refuse services whose tier or network takes no endpoint.

    The words are those of azure-docs #125876 and azurerm #30296; the code for a tier is that of a test of the tiers.
    """
    name = service.inputs["sku"]["name"]
    start = f"Setting up Private Endpoint Connection for API Management service {service.id}"
    tier = TIERS[name]
    if not tier.endpoint:
        raise PrivateEndpointNotSupportedInServiceSkuError(f"{start} which is of {name} is not supported.")
    kind = service.inputs.get("virtualNetworkType") or "None"
    if kind == "Internal" or (kind == "External" and tier.family == "classic"):
        raise NotSupportedError(
            f"{start} is not supported as it is set up in Virtual Network Type: {kind}. Please disable Virtual "
            "Network on the service and try again.",
        )
    if groups != [GROUPS[SERVICE]]:
        raise NotSupportedError(
            f"{start} with Private Endpoint Connection groupId(s) {', '.join(groups)} is not supported. Please refer "
            "to https://aka.ms/apim-private-link on more details.",
        )


TYPE = arm_type(
    token=PRIVATE_ENDPOINT,
    path=f"{PATH}/privateEndpoints",
    names="privateEndpointName",
    shape=Shape(
        "resourceGroupName",
        "applicationSecurityGroups customDnsConfigs customNetworkInterfaceName extendedLocation id ipConfigurations "
        "location manualPrivateLinkServiceConnections privateEndpointName privateLinkServiceConnections subnet tags",
        privateLinkServiceConnections=Shape(
            "", "groupIds id name privateLinkServiceConnectionState privateLinkServiceId requestMessage"
        ),
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?$",
    immutable={"subnet": always, "privateLinkServiceConnections": always},
)
