"""The directory as its readers see it: the data plane, lookups, and callers that are registered from outside."""

import secrets
from collections import defaultdict

from apim_emulator.azure.authorization import SERVICE_PRINCIPAL, USER
from apim_emulator.azure.azuread.access import APP_ROLE_ASSIGNMENT, PASSWORD, granted, new_password, scopes
from apim_emulator.azure.azuread.registrations import (
    APPLICATION,
    by_client_id,
    identifier_uris,
    missing,
    new_application,
    new_service_principal,
)
from apim_emulator.azure.errors import invalid
from apim_emulator.azure.state import Invoke, Properties, Resource, State
from apim_emulator.model import Application, User


def applications(state: State) -> tuple[Application, ...]:
    """App registrations with a service principal; Entra issues no token for or to one without."""
    return tuple(_application(state, principal) for principal in state.of(SERVICE_PRINCIPAL))


def _application(state: State, principal: Resource) -> Application:
    application = by_client_id(state, principal.outputs["clientId"])
    roles = {
        role["id"].lower(): role["value"]
        for role in application.outputs.get("appRoles") or ()
        if role.get("enabled", True) and role.get("value")
    }
    assignments: defaultdict[str, set[str]] = defaultdict(set)
    for assignment in state.of(APP_ROLE_ASSIGNMENT, under=principal.id):
        role = roles.get(assignment.outputs["appRoleId"].lower())
        assignments[assignment.outputs["principalObjectId"]] |= {role} if role else set()
    return Application(
        tenant_id=principal.private["tenant_id"],
        client_id=application.outputs["clientId"],
        display_name=application.outputs["displayName"],
        service_principal_id=principal.outputs["objectId"],
        identifier_uris=identifier_uris(state, application),
        app_roles=roles,
        scopes=frozenset(scopes(application).values()),
        granted=granted(state, application, principal),
        token_version=int((application.outputs.get("api") or {}).get("requestedAccessTokenVersion") or 1),
        assignment_required=bool(principal.outputs.get("appRoleAssignmentRequired")),
        assignments={key: frozenset(values) for key, values in assignments.items()},
        secrets=tuple(password.private["value"] for password in state.of(PASSWORD, under=application.id)),
    )


def add_caller(state: State, display_name: str, tenant_id: str) -> Application:
    """Register an application of a tenant with a service principal and a client secret, or return it as it is."""
    identity = f"caller {display_name}"
    known = state.find(f"/applications/{state.guid('application', tenant_id, identity)}")
    if known is not None:
        return next(found for found in applications(state) if found.client_id == known.outputs["clientId"])
    inputs = {"displayName": display_name, "api": {"requestedAccessTokenVersion": 2}}
    application = new_application(state, identity, inputs, tenant_id)
    state.add(application)
    principal = new_service_principal(state, application, {"clientId": application.outputs["clientId"]})
    state.add(principal)
    state.add(new_password(state, display_name, {"applicationId": application.id}))
    return _application(state, principal)


def users(state: State) -> tuple[User, ...]:
    """People whose password the emulator knows."""
    return tuple(
        User(
            tenant_id=user.private["tenant_id"],
            object_id=user.outputs["objectId"],
            name=user.outputs["userPrincipalName"],
            password=user.private["value"],
        )
        for user in state.of(USER)
        if "value" in user.private
    )


def add_user(state: State, name: str) -> User:
    """Add a person to the home tenant, with a password, or return who is there already."""
    object_id = state.guid("user", name)
    if state.find(f"/users/{object_id}") is None:
        outputs = {"objectId": object_id, "userPrincipalName": name}
        private = {"value": secrets.token_urlsafe(30), "tenant_id": state.tenant_id}
        state.add(Resource(id=f"/users/{object_id}", token=USER, inputs={}, outputs=outputs, private=private))
    return next(user for user in users(state) if user.object_id == object_id)


def _find(token: str, keys: tuple[str, ...]) -> Invoke:
    """Invoke that finds an object of the home tenant by whichever of `keys` is given."""

    def find(state: State, args: Properties) -> Properties:
        given = {key: args[key] for key in (*keys, "identifierUri") if args.get(key) is not None}
        if not given:
            raise invalid(f"one of {', '.join(keys)} is required", keys[0])
        uri = given.pop("identifierUri", None)
        for resource in state.of(token):
            matches = all(str(resource.outputs[key]).lower() == str(value).lower() for key, value in given.items())
            if (
                matches
                and resource.private["tenant_id"] == state.tenant_id
                and (uri is None or uri in identifier_uris(state, resource))
            ):
                return {"id": resource.id, **resource.outputs}
        raise missing(token.rsplit(":", 1)[1], ", ".join(map(str, [*given.values(), uri or ""])).strip(", "), keys[0])

    return find


def _client_config(state: State, _args: Properties) -> Properties:
    object_id = state.deployer_object_id
    return {
        "id": f"{state.tenant_id}-{state.deployer_client_id}-{object_id}",
        "clientId": state.deployer_client_id,
        "objectId": object_id,
        "tenantId": state.tenant_id,
    }


INVOKES: dict[str, Invoke] = {
    "azuread:index/getApplication:getApplication": _find(APPLICATION, ("clientId", "objectId", "displayName")),
    "azuread:index/getServicePrincipal:getServicePrincipal": _find(
        SERVICE_PRINCIPAL, ("clientId", "objectId", "displayName")
    ),
    "azuread:index/getClientConfig:getClientConfig": _client_config,
}
