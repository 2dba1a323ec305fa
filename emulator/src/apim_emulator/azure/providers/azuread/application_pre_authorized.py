"""Clients that get scopes of an application without asking its users."""

from apim_emulator.azure.providers.azuread import PRE_AUTHORIZED
from apim_emulator.azure.providers.azuread.exceptions import InvalidValueError
from apim_emulator.azure.providers.azuread.ownership import require_owner
from apim_emulator.azure.providers.azuread.references import by_id, require_application_owner
from apim_emulator.azure.resource_types import ResourceType, Shape, always, required_text
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = by_id(state, required_text(inputs, "applicationId"))
    require_owner(state, application)
    return _pre_authorized(
        application, f"/preAuthorizedApplications/{required_text(inputs, 'authorizedClientId')}", inputs
    )


def _update(state: State, resource: Resource, inputs: Properties) -> Resource:
    application = by_id(state, inputs["applicationId"])
    require_owner(state, application)
    return _pre_authorized(application, resource.id.removeprefix(application.id), inputs)


def _pre_authorized(application: Resource, path: str, inputs: Properties) -> Resource:
    known = {scope.lower() for scope in application.outputs["oauth2PermissionScopeIds"].values()}
    for permission in inputs["permissionIds"]:
        if permission.lower() not in known:
            raise InvalidValueError(f"the permission {permission!r} is not a scope of the application", "permissionIds")
    return Resource(id=f"{application.id}{path}", token=PRE_AUTHORIZED, inputs=inputs, outputs=dict(inputs))


TYPE = ResourceType(
    token=PRE_AUTHORIZED,
    shape=Shape("applicationId authorizedClientId permissionIds"),
    create=_create,
    update=_update,
    immutable={"applicationId": always, "authorizedClientId": always},
    on_delete=require_application_owner,
)
