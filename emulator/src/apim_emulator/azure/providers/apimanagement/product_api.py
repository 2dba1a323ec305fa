"""APIs of a product."""

from apim_emulator.azure.exceptions import ResourceNotFoundError
from apim_emulator.azure.providers.apimanagement import PATH, PRODUCT_API
from apim_emulator.azure.resource_types import Shape, arm_type
from apim_emulator.azure.state import Resource, State


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    service = parent.id.rsplit("/products/", 1)[0]
    if state.find(f"{service}/apis/{resource.name}") is None:
        raise ResourceNotFoundError("API", resource.name, "apiId")


TYPE = arm_type(
    token=PRODUCT_API,
    path=f"{PATH}/products/apis",
    names="serviceName productId apiId",
    shape=Shape("productId resourceGroupName serviceName", "apiId"),
    complete=_complete,
)
