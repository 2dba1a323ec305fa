"""Products, which bundle APIs."""

from apim_emulator.azure.providers.apimanagement import IDENTIFIER, PATH, PRODUCT
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State


def _complete(_state: State, resource: Resource, _parent: Resource) -> None:
    resource.outputs.setdefault("subscriptionRequired", True)
    resource.outputs.setdefault("state", "notPublished")


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
)
