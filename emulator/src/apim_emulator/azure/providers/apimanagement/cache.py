"""External caches: the Redis that a service's policies use, by region."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import CACHE, PATH
from apim_emulator.azure.providers.network.data_plane import network_of_service, private_hosts
from apim_emulator.azure.providers.redisenterprise.data_plane import can_search
from apim_emulator.azure.resource_types import Shape, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_LONGEST = 300


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    connection_string, place = resource.inputs["connectionString"], resource.inputs["useFromLocation"]
    if not isinstance(connection_string, str) or not 1 <= len(connection_string) <= _LONGEST:
        raise ValidationError(f"connectionString must be a text of 1 to {_LONGEST} characters", "connectionString")
    # Inferred: the portal offers each region, and the default, once ("Use an external cache": Use from).
    for other in state.others(resource, under=parent.id):
        if other.outputs["useFromLocation"].lower() == place.lower():
            raise ValidationError(f"the cache {other.name!r} is already used from {place!r}", "useFromLocation")
    # What the service returns is a reference to a named value of its own ("New-AzApiManagementCache", example 1).
    resource.outputs["connectionString"] = f"{{{{{state.fresh_guid('cache', resource.id)}}}}}"
    resource.private["connection string"] = connection_string


def searches(state: State, service: Resource) -> bool:
    """Whether the gateway of a service has a cache that can be searched by meaning.

    In its own region it uses that region's cache, or else the default one.
    """
    region = "".join(service.outputs["location"].lower().split())
    by_place = {cache.outputs["useFromLocation"].lower(): cache for cache in state.of(CACHE, under=service.id)}
    found = by_place.get(region) or by_place.get("default")
    if found is None:
        return False
    return can_search(state, found.private["connection string"], private_hosts(state, network_of_service(service)))


TYPE = arm_type(
    token=CACHE,
    path=f"{PATH}/caches",
    names="serviceName cacheId",
    shape=Shape("connectionString resourceGroupName serviceName useFromLocation", "cacheId description resourceId"),
    complete=_complete,
    pattern=r"^[^*#&+:<>?]{1,80}$",
    write_only=lambda _inputs: ("connectionString",),
)

GET = get_function("azure-native:apimanagement:getCache", f"{PATH}/caches", "serviceName cacheId")
