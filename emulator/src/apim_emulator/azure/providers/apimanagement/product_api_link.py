"""Links between products and APIs, by the API's resource ID."""

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.apimanagement import API, PATH, PRODUCT_API_LINK
from apim_emulator.azure.providers.apimanagement.references import service_id
from apim_emulator.azure.resource_types import Shape, arm_type, required_text
from apim_emulator.azure.state import Resource, State


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    given = required_text(resource.inputs, "apiId")
    service = service_id(parent)
    # "Full resource Id of an API" (ARM type); a product holds APIs of its own service alone.
    found = state.find(given)
    if found is None or found.token != API or service_id(found).lower() != service.lower():
        raise ResourceNotFoundError("API", given, "apiId")
    for other in state.others(resource, under=service):
        if other.name.lower() == resource.name.lower():
            # "Must be unique in the current API Management service instance" (ARM type); the wording is inferred.
            raise ValidationError(f"apiLinkId {resource.name!r} is already used by {other.id}", "apiLinkId")
        same_product = other.id.lower().startswith(f"{parent.id}/".lower())
        if same_product and other.outputs["apiId"].lower() == given.lower():  # inferred
            raise ValidationError(f"the product is already linked to the API by {other.id}", "apiId")


TYPE = arm_type(
    token=PRODUCT_API_LINK,
    path=f"{PATH}/products/apiLinks",
    names="serviceName productId apiLinkId",
    shape=Shape("apiId productId resourceGroupName serviceName", "apiLinkId"),
    complete=_complete,
    pattern=r"^[^*#&+:<>?]{1,80}$",
)
