"""App roles that principals hold."""

from apim_emulator.azure.providers.authorization.data_plane import principal_type
from apim_emulator.azure.providers.azuread import APP_ROLE_ASSIGNMENT
from apim_emulator.azure.providers.azuread.exceptions import BadRequestError, ObjectNotFoundError
from apim_emulator.azure.providers.azuread.ownership import require_role_manager
from apim_emulator.azure.resource_types import Shape, immutable_type, required_text
from apim_emulator.azure.state import Properties, Resource, State

DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""App role of an assignment to an application that defines none (Microsoft Graph: appRoleAssignment)."""


def _create(state: State, _logical_name: str, inputs: Properties) -> Resource:
    resource_id, principal_id, role_id = (
        required_text(inputs, name) for name in ("resourceObjectId", "principalObjectId", "appRoleId")
    )
    resource = state.find(f"/servicePrincipals/{resource_id}")
    if resource is None:
        raise ObjectNotFoundError("service principal", resource_id, "resourceObjectId")
    kind = principal_type(state, principal_id)
    if kind is None:
        raise ObjectNotFoundError("principal", principal_id, "principalObjectId")
    require_role_manager(state, resource, kind)
    roles = {role["id"].lower() for role in resource.outputs["appRoles"]}
    if role_id.lower() not in roles and not (role_id == DEFAULT_ACCESS and not roles):
        raise BadRequestError(
            f"the app role {role_id!r} was not found on {resource.outputs['displayName']!r}",
            "appRoleId",
        )
    for other in state.of(APP_ROLE_ASSIGNMENT, under=resource.id):
        if (other.outputs["principalObjectId"], other.outputs["appRoleId"]) == (principal_id, role_id):
            raise BadRequestError(f"{principal_id!r} already holds the app role", "appRoleId")
    extra = {"principalType": kind, "resourceDisplayName": resource.outputs["displayName"]}
    return Resource(
        id=f"{resource.id}/appRoleAssignedTo/{state.guid('assigned', resource_id, principal_id, role_id)}",
        token=APP_ROLE_ASSIGNMENT,
        inputs=inputs,
        outputs={**inputs, **extra},
    )


def _delete(state: State, assignment: Resource) -> None:
    resource = state.find(f"/servicePrincipals/{assignment.outputs['resourceObjectId']}")
    if resource is not None:
        require_role_manager(state, resource, assignment.outputs["principalType"])


TYPE = immutable_type(
    token=APP_ROLE_ASSIGNMENT,
    shape=Shape("appRoleId principalObjectId resourceObjectId"),
    create=_create,
    on_delete=_delete,
)
