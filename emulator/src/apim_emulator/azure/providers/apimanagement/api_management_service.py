"""The API Management service itself."""

from apim_emulator.azure.providers.access_keys import new_keys
from apim_emulator.azure.providers.apimanagement import PATH, SERVICE, SUBSCRIPTION
from apim_emulator.azure.providers.apimanagement.exceptions import (
    ServiceAlreadyExistsError,
    ServiceAlreadyExistsInSoftDeletedStateError,
    ServiceUndeleteNotPossibleError,
)
from apim_emulator.azure.providers.apimanagement.hostnames import configure_hostnames
from apim_emulator.azure.providers.apimanagement.networks import join_network
from apim_emulator.azure.providers.apimanagement.tiers import TIERS, check_tier, tier_family
from apim_emulator.azure.providers.managedidentity.identities import attach_identities
from apim_emulator.azure.resource_types import Shape, SoftDelete, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_SKU = Shape("capacity name", name=Text(values=TIERS))


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    check_tier(resource, state.find(resource.id))
    join_network(state, resource, state.find(resource.id))
    attach_identities(state, resource)
    host = resource.name.lower()
    resource.outputs |= {
        "gatewayUrl": f"https://{host}.azure-api.net",
        "managementApiUrl": f"https://{host}.management.azure-api.net",
        "developerPortalUrl": f"https://{host}.developer.azure-api.net",
        "provisioningState": "Succeeded",
        "targetProvisioningState": "",
    }
    configure_hostnames(state, resource)
    for location in resource.outputs.get("additionalLocations") or ():
        region = location["location"].replace(" ", "").lower()
        location["gatewayRegionalUrl"] = f"https://{host}-{region}-01.regional.azure-api.net"
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


_SOFT_DELETE = SoftDelete(
    retention=lambda _service: 48 * 3600,
    asks_to_restore=lambda inputs: inputs.get("restore") is True,
    name_taken=lambda service: ServiceAlreadyExistsInSoftDeletedStateError(
        f"the service {service.name!r} was soft-deleted; restore it with restore: true, or purge it",
        "serviceName",
    ),
    not_deleted=lambda service: ServiceUndeleteNotPossibleError(
        f"there is no deleted service {service.id} to restore; leave out restore",
        "restore",
    ),
)
"""Services are kept for 48 hours ("API Management soft-delete")."""


TYPE = arm_type(
    token=SERVICE,
    path=PATH,
    names="serviceName",
    shape=Shape(
        "publisherEmail publisherName resourceGroupName sku",
        "additionalLocations apiVersionConstraint certificates configurationApi customProperties "
        "developerPortalStatus disableGateway enableClientCertificate hostnameConfigurations identity "
        "legacyPortalStatus location natGatewayState notificationSenderEmail privateEndpointConnections "
        "publicIpAddressId publicNetworkAccess restore serviceName tags virtualNetworkConfiguration "
        "virtualNetworkType zones",
        additionalLocations=Shape(
            "location sku",
            "disableGateway natGatewayState publicIpAddressId virtualNetworkConfiguration zones",
            sku=_SKU,
        ),
        apiVersionConstraint=Shape("", "minApiVersion"),
        hostnameConfigurations=Shape(
            "hostName type",
            "certificate certificatePassword certificateSource certificateStatus defaultSslBinding "
            "encodedCertificate identityClientId keyVaultId negotiateClientCertificate",
            certificateSource=Text(values=("BuiltIn", "Custom", "KeyVault", "Managed")),
        ),
        sku=_SKU,
        identity=Shape("type", "userAssignedIdentities"),
        publicNetworkAccess=Text(values=("Enabled", "Disabled")),
        virtualNetworkType=Text(values=("None", "External", "Internal")),
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?$",
    unique_in_azure=ServiceAlreadyExistsError,
    immutable={"sku.name": lambda old, new: tier_family(old) != tier_family(new)},
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
)

GET = get_function("azure-native:apimanagement:getApiManagementService", PATH, "serviceName")
