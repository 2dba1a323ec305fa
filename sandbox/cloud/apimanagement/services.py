"""The API Management service itself."""

from sandbox.cloud.apimanagement.tokens import PATH, SERVICE, SUBSCRIPTION
from sandbox.cloud.arm import arm_type, described, existing
from sandbox.cloud.errors import invalid
from sandbox.cloud.keys import new_keys
from sandbox.cloud.managedidentity import attach
from sandbox.cloud.shape import Shape
from sandbox.cloud.state import Invoke, Resource, State

_CAPACITY = {
    "Consumption": (0, 0),
    "Developer": (1, 1),
    "Basic": (1, 2),
    "Standard": (1, 4),
    "Premium": (1, 12),
    "Isolated": (1, 12),
    "BasicV2": (1, 10),
    "StandardV2": (1, 10),
    "PremiumV2": (1, 30),
}
"""Scale units by pricing tier (Microsoft's "API Management limits")."""


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    sku = resource.inputs["sku"]
    if sku["name"] not in _CAPACITY:
        raise invalid(f"sku.name {sku['name']!r} is not one of {', '.join(_CAPACITY)}", "sku.name")
    least, most = _CAPACITY[sku["name"]]
    if not least <= sku["capacity"] <= most:
        allowed = f"{least}" if least == most else f"{least} to {most}"
        raise invalid(f"sku.capacity {sku['capacity']} with {sku['name']}; it takes {allowed}", "sku.capacity")
    attach(state, resource)
    host = resource.name.lower()
    resource.outputs |= {
        "gatewayUrl": f"https://{host}.azure-api.net",
        "managementApiUrl": f"https://{host}.management.azure-api.net",
        "developerPortalUrl": f"https://{host}.developer.azure-api.net",
        "provisioningState": "Succeeded",
        "targetProvisioningState": "",
    }
    _add_master_subscription(state, resource)


def _add_master_subscription(state: State, service: Resource) -> None:
    """Every service is born with a subscription for all of its APIs ("Subscriptions in API Management")."""
    outputs = {
        "name": "master",
        "type": f"{PATH}/subscriptions",
        "displayName": "Built-in all-access subscription",
        "scope": f"{service.id}/",
        "state": "active",
    }
    private = {"keys": new_keys({}), "scope": "/apis"}
    resource_id = f"{service.id}/subscriptions/master"
    state.add(Resource(id=resource_id, token=SUBSCRIPTION, inputs={}, outputs=outputs, private=private))


TYPES = (
    arm_type(
        SERVICE,
        PATH,
        "serviceName",
        Shape(
            "publisherEmail publisherName resourceGroupName sku",
            "additionalLocations apiVersionConstraint certificates configurationApi customProperties "
            "developerPortalStatus disableGateway enableClientCertificate hostnameConfigurations identity "
            "legacyPortalStatus location natGatewayState notificationSenderEmail privateEndpointConnections "
            "publicIpAddressId publicNetworkAccess restore serviceName tags virtualNetworkConfiguration "
            "virtualNetworkType zones",
            sku=Shape("capacity name"),
            identity=Shape("type", "userAssignedIdentities"),
        ),
        _complete,
        pattern=r"^[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?$",
        unique_in_azure="ServiceAlreadyExists",
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:apimanagement:getApiManagementService": lambda state, args: described(
        existing(state, PATH, args, "serviceName")
    ),
}
