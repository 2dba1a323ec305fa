"""The directory as the data plane sees it, and callers and users that are added from outside."""

import secrets
from collections import defaultdict

from apim_emulator.azure.providers.azuread import (
    APP_ROLE_ASSIGNMENT,
    DELEGATED_GRANT,
    PASSWORD,
    PRE_AUTHORIZED,
    SERVICE_PRINCIPAL,
    USER,
)
from apim_emulator.azure.providers.azuread.application import new_application
from apim_emulator.azure.providers.azuread.application_password import new_password
from apim_emulator.azure.providers.azuread.references import by_client_id, identifier_uris
from apim_emulator.azure.providers.azuread.service_principal import new_service_principal
from apim_emulator.azure.state import Resource, State
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


def scopes(application: Resource) -> dict[str, str]:
    """Map the IDs of an application's enabled delegated permissions to their values."""
    return {
        scope["id"].lower(): scope["value"]
        for scope in (application.outputs.get("api") or {}).get("oauth2PermissionScopes") or ()
        if scope.get("enabled", True) and scope.get("value")
    }


def granted(state: State, application: Resource, principal: Resource) -> dict[tuple[str, str | None], frozenset[str]]:
    """Scopes that clients have without asking: by pre-authorization, or by somebody's consent."""
    known = scopes(application)
    found: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    for allowed in state.of(PRE_AUTHORIZED, under=application.id):
        ids = {permission.lower() for permission in allowed.outputs["permissionIds"]}
        found[allowed.outputs["authorizedClientId"].lower(), None] |= {known[each] for each in ids & known.keys()}
    for grant in state.of(DELEGATED_GRANT):
        client = state.find(f"/servicePrincipals/{grant.outputs['servicePrincipalObjectId']}")
        if client is not None and grant.outputs["resourceServicePrincipalObjectId"] == principal.outputs["objectId"]:
            key = client.outputs["clientId"].lower(), grant.outputs.get("userObjectId")
            found[key] |= set(grant.outputs["claimValues"]) & set(known.values())
    return {key: frozenset(values) for key, values in found.items()}


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
