"""User-assigned identities."""

from apim_emulator.azure.providers.managedidentity import PATH, USER_ASSIGNED_IDENTITY
from apim_emulator.azure.resource_types import Shape, arm_type, get_function
from apim_emulator.azure.state import Resource, State


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    before = state.find(resource.id)
    for name, part in (("principalId", "identity"), ("clientId", "client")):
        resource.outputs[name] = before.outputs[name] if before else state.fresh_guid(part, resource.id)
    resource.outputs["tenantId"] = state.tenant_id


TYPE = arm_type(
    token=USER_ASSIGNED_IDENTITY,
    path=PATH,
    names="resourceName",
    shape=Shape("resourceGroupName", "location resourceName tags"),
    complete=_complete,
    pattern=r"^[A-Za-z0-9][\w-]{2,127}$",
)

GET = get_function("azure-native:managedidentity:getUserAssignedIdentity", PATH, "resourceName")
