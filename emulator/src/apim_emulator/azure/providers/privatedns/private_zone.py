"""Private DNS zones."""

from apim_emulator.azure.providers.privatedns import PATH, PRIVATE_ZONE, ZONE_LINK
from apim_emulator.azure.providers.privatedns.exceptions import CannotDeleteResourceError, LocationNotAvailableError
from apim_emulator.azure.resource_types import Shape, arm_type, get_function
from apim_emulator.azure.state import Resource, State


def require_global(resource: Resource, path: str) -> None:
    """Refuse a region, as zones and links are in none; without a location, the provider sends the stack's region."""
    location = resource.inputs.get("location")
    if str(location).lower() != "global":
        raise LocationNotAvailableError(
            f"The provided location '{location}' is not available for resource type '{path}'. List of available "
            "regions for the resource type is 'global'.",
            "location",
        )


def _complete(_state: State, resource: Resource, _parent: Resource) -> None:
    require_global(resource, PATH)
    resource.outputs |= {"provisioningState": "Succeeded"}


def _delete(state: State, zone: Resource) -> None:
    if any(state.of(ZONE_LINK, under=zone.id)):
        raise CannotDeleteResourceError(
            f"Can not delete resource before nested resources are deleted: {zone.id} has virtual network links."
        )


TYPE = arm_type(
    token=PRIVATE_ZONE,
    path=PATH,
    names="privateZoneName",
    shape=Shape("resourceGroupName", "location privateZoneName tags"),
    complete=_complete,
    pattern=r"^(?=.{1,253}$)[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63})+$",
    on_delete=_delete,
)

GET = get_function("azure-native:privatedns:getPrivateZone", PATH, "privateZoneName")
