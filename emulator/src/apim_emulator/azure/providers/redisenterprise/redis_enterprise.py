"""Clusters: where a database is, and how large it may become."""

from apim_emulator.azure.exceptions import ConflictError
from apim_emulator.azure.providers.managedidentity.identities import attach_identities
from apim_emulator.azure.providers.redisenterprise import CLUSTER, NAME, PATH
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_SWITCH = Text(values=("Enabled", "Disabled"))


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    region = "".join(resource.outputs["location"].lower().split())
    # Enterprise SKUs, the service before Azure Managed Redis, have another domain ("Azure Managed Redis: DNS suffix").
    retired = resource.inputs["sku"]["name"].startswith("Enterprise")
    suffix = "redisenterprise.cache.azure.net" if retired else "redis.azure.net"
    host = f"{resource.name.lower()}.{region}.{suffix}"
    if any(other.outputs["hostName"] == host for other in state.others(resource)):
        raise ConflictError(f"the host name {host!r} is already in use; pick another clusterName", "clusterName")
    resource.outputs |= {"hostName": host, "provisioningState": "Succeeded", "resourceState": "Running"}
    resource.outputs.setdefault("highAvailability", "Enabled")
    attach_identities(state, resource)


TYPE = arm_type(
    token=CLUSTER,
    path=PATH,
    names="clusterName",
    shape=Shape(
        "publicNetworkAccess resourceGroupName sku",
        "clusterName encryption highAvailability identity location minimumTlsVersion tags zones",
        highAvailability=_SWITCH,
        minimumTlsVersion=Text(values=("1.0", "1.1", "1.2")),
        publicNetworkAccess=_SWITCH,
        sku=Shape("name", "capacity"),
    ),
    complete=_complete,
    pattern=NAME,
)

GET = get_function("azure-native:redisenterprise:getRedisEnterprise", PATH, "clusterName")
