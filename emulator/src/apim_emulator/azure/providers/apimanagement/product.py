"""Products, which bundle APIs.

What the service refuses and does unasked is in no reference. Sources: terraform-provider-azurerm
(`api_management_product_resource.go`), Azure/apiops #94, #288 and #645, Azure/azure-powershell #21747,
pulumi-azure-native #846.
"""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.access_keys import new_keys
from apim_emulator.azure.providers.apimanagement import IDENTIFIER, PATH, PRODUCT, SUBSCRIPTION
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_ADMINISTRATOR = "users/1"


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    if inputs.get("subscriptionRequired") is False:
        for name in ("approvalRequired", "subscriptionsLimit"):
            if inputs.get(name) is not None:
                raise ValidationError(
                    "Cannot provide values for approvalRequired and subscriptionsLimit when subscriptionRequired is "
                    "set to false in the request payload",
                    name,
                )
    resource.outputs.setdefault("subscriptionRequired", True)
    resource.outputs.setdefault("state", "notPublished")
    if state.find(resource.id) is None:
        _subscribe_administrator(state, resource, parent)


def _subscribe_administrator(state: State, product: Resource, service: Resource) -> None:
    """Give the administrator a subscription of a new product, as the service does unasked."""
    scope = f"/products/{product.name}"
    state.put(
        Resource(
            id=f"{service.id}/subscriptions/{state.fresh_guid('subscription', product.id).replace('-', '')[:24]}",
            token=SUBSCRIPTION,
            inputs={},
            outputs={
                "scope": service.id + scope,
                "ownerId": f"{service.id}/{_ADMINISTRATOR}",
                "state": "active",
            },
            private={"keys": new_keys({}), "scope": scope},
        )
    )


def _delete(state: State, product: Resource) -> None:
    """Refuse to delete a product with subscriptions.

    The service deletes these with it if `deleteSubscriptions` is in the query, which pulumi-azure-native never sends.
    """
    service = product.id.rsplit("/products/", 1)[0]
    wanted = f"/products/{product.name}".lower()
    if any(found.private["scope"].lower() == wanted for found in state.of(SUBSCRIPTION, under=service)):
        raise ValidationError(
            "Product cannot be deleted since it has existing subscriptions. Delete subscriptions before deleting the "
            "product or pass in deleteSubscriptions=true as query param",
            product.id,
        )


TYPE = arm_type(
    token=PRODUCT,
    path=f"{PATH}/products",
    names="serviceName productId",
    shape=Shape(
        "displayName resourceGroupName serviceName",
        "approvalRequired description productId state subscriptionRequired subscriptionsLimit terms",
        state=Text(values=("notPublished", "published")),
    ),
    complete=_complete,
    pattern=IDENTIFIER,
    on_delete=_delete,
)

GET = get_function("azure-native:apimanagement:getProduct", f"{PATH}/products", "serviceName productId")
