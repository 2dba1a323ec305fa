"""The API Management service itself."""

from sandbox.cloud.apimanagement.tokens import PATH, SERVICE, SUBSCRIPTION
from sandbox.cloud.arm import arm_type, described, existing
from sandbox.cloud.errors import CloudError, invalid
from sandbox.cloud.keys import new_keys
from sandbox.cloud.managedidentity import attach
from sandbox.cloud.shape import Shape, Text
from sandbox.cloud.state import Invoke, Resource, SoftDelete, State

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
    if state.find(f"{resource.id}/subscriptions/master") is None:
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


def _family(name: object) -> str:
    """Family of a pricing tier, which a service cannot leave ("Upgrade and scale an API Management instance")."""
    if name == "Consumption":
        return "Consumption"
    return "v2" if str(name).endswith("V2") else "classic"


_SOFT_DELETE = SoftDelete(
    retention=lambda _service: 48 * 3600,
    asked=lambda inputs: inputs.get("restore") is True,
    taken=lambda service: CloudError(
        "ServiceAlreadyExistsInSoftDeletedState",
        f"the service {service.name!r} was soft-deleted; restore it with restore: true, or purge it",
        "serviceName",
    ),
    absent=lambda service: CloudError(
        "ServiceUndeleteNotPossible",
        f"there is no deleted service {service.id} to restore; leave out restore",
        "restore",
    ),
)
"""Services are kept for 48 hours ("API Management soft-delete")."""

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
            sku=Shape("capacity name", name=Text(values=_CAPACITY)),
            identity=Shape("type", "userAssignedIdentities"),
            publicNetworkAccess=Text(values=("Enabled", "Disabled")),
            virtualNetworkType=Text(values=("None", "External", "Internal")),
        ),
        _complete,
        pattern=r"^[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?$",
        unique_in_azure="ServiceAlreadyExists",
        immutable={"sku.name": lambda old, new: _family(old) != _family(new)},
        write_only=lambda _inputs: ("restore",),
        # What pulumi-azure-native sends for properties left out (`ApiManagementService`).
        defaults={
            "developerPortalStatus": "Enabled",
            "disableGateway": False,
            "enableClientCertificate": False,
            "legacyPortalStatus": "Enabled",
            "natGatewayState": "Disabled",
            "restore": False,
            "virtualNetworkType": "None",
        },
        soft_delete=_SOFT_DELETE,
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:apimanagement:getApiManagementService": lambda state, args: described(
        existing(state, PATH, args, "serviceName")
    ),
}
