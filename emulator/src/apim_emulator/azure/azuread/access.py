"""What hangs on a registration: client secrets, app role assignments, pre-authorized clients, identifier URIs."""

import base64
import secrets
from collections import defaultdict
from dataclasses import replace

from apim_emulator.azure.authorization import principal_type
from apim_emulator.azure.azuread.ownership import require_administrator, require_owner, require_role_manager
from apim_emulator.azure.azuread.registrations import IDENTIFIER_URI, by_id, missing, require_free_uri
from apim_emulator.azure.errors import CloudError
from apim_emulator.azure.shape import Shape
from apim_emulator.azure.state import Properties, Resource, ResourceType, State, always, fixed, text

PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"  # noqa: S105 - a type token
APP_ROLE_ASSIGNMENT = "azuread:index/appRoleAssignment:AppRoleAssignment"
DELEGATED_GRANT = "azuread:index/servicePrincipalDelegatedPermissionGrant:ServicePrincipalDelegatedPermissionGrant"
PRE_AUTHORIZED = "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized"

DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""App role of an assignment to an application that defines none (Microsoft Graph: appRoleAssignment)."""


def _create_password(state: State, logical_name: str, inputs: Properties) -> Resource:
    require_owner(state, by_id(state, text(inputs, "applicationId")))
    return new_password(state, logical_name, inputs)


def new_password(state: State, logical_name: str, inputs: Properties) -> Resource:
    """Client secret of an application, with a new value."""
    application = by_id(state, text(inputs, "applicationId"))
    key_id = state.fresh_guid("password", application.id, logical_name)
    value = secrets.token_urlsafe(30)
    return Resource(
        id=f"{application.id}/password/{key_id}",
        token=PASSWORD,
        inputs=inputs,
        outputs={**inputs, "keyId": key_id, "value": value},
        private={"value": value},
    )


def _create_app_role_assignment(state: State, _logical_name: str, inputs: Properties) -> Resource:
    resource_id, principal_id, role_id = (
        text(inputs, name) for name in ("resourceObjectId", "principalObjectId", "appRoleId")
    )
    resource = state.find(f"/servicePrincipals/{resource_id}")
    if resource is None:
        raise missing("service principal", resource_id, "resourceObjectId")
    kind = principal_type(state, principal_id)
    if kind is None:
        raise missing("principal", principal_id, "principalObjectId")
    require_role_manager(state, resource, kind)
    roles = {role["id"].lower() for role in resource.outputs["appRoles"]}
    if role_id.lower() not in roles and not (role_id == DEFAULT_ACCESS and not roles):
        raise CloudError(
            "Request_BadRequest",
            f"the app role {role_id!r} was not found on {resource.outputs['displayName']!r}",
            "appRoleId",
        )
    for other in state.of(APP_ROLE_ASSIGNMENT, under=resource.id):
        if (other.outputs["principalObjectId"], other.outputs["appRoleId"]) == (principal_id, role_id):
            raise CloudError("Request_BadRequest", f"{principal_id!r} already holds the app role", "appRoleId")
    extra = {"principalType": kind, "resourceDisplayName": resource.outputs["displayName"]}
    return Resource(
        id=f"{resource.id}/appRoleAssignedTo/{state.guid('assigned', resource_id, principal_id, role_id)}",
        token=APP_ROLE_ASSIGNMENT,
        inputs=inputs,
        outputs={**inputs, **extra},
    )


def _delete_app_role_assignment(state: State, assignment: Resource) -> None:
    resource = state.find(f"/servicePrincipals/{assignment.outputs['resourceObjectId']}")
    if resource is not None:
        require_role_manager(state, resource, assignment.outputs["principalType"])


def _create_pre_authorized(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = by_id(state, text(inputs, "applicationId"))
    require_owner(state, application)
    return _pre_authorized(application, f"/preAuthorizedApplications/{text(inputs, 'authorizedClientId')}", inputs)


def _update_pre_authorized(state: State, resource: Resource, inputs: Properties) -> Resource:
    application = by_id(state, inputs["applicationId"])
    require_owner(state, application)
    return _pre_authorized(application, resource.id.removeprefix(application.id), inputs)


def _pre_authorized(application: Resource, path: str, inputs: Properties) -> Resource:
    known = {scope.lower() for scope in application.outputs["oauth2PermissionScopeIds"].values()}
    for permission in inputs["permissionIds"]:
        if permission.lower() not in known:
            raise CloudError(
                "InvalidValue", f"the permission {permission!r} is not a scope of the application", "permissionIds"
            )
    return Resource(id=f"{application.id}{path}", token=PRE_AUTHORIZED, inputs=inputs, outputs=dict(inputs))


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


def _create_grant(state: State, _logical_name: str, inputs: Properties) -> Resource:
    """Consent to scopes for one user or for all, which takes an administrator ("Create oAuth2PermissionGrant")."""
    names = ("servicePrincipalObjectId", "resourceServicePrincipalObjectId")
    for name in names:
        if state.find(f"/servicePrincipals/{text(inputs, name)}") is None:
            raise missing("service principal", inputs[name], name)
    user = inputs.get("userObjectId")
    if user is not None and principal_type(state, user) != "User":
        raise missing("user", user, "userObjectId")
    require_administrator(state, "claimValues")
    key = [*(inputs[name] for name in names), user or ""]
    return Resource(
        id=f"/oauth2PermissionGrants/{state.fresh_guid('grant', *key)}",
        token=DELEGATED_GRANT,
        inputs=inputs,
        outputs=dict(inputs),
    )


def _update_grant(state: State, grant: Resource, inputs: Properties) -> Resource:
    require_administrator(state, "claimValues")
    return replace(grant, inputs=inputs, outputs=dict(inputs))


def _create_identifier_uri(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = by_id(state, text(inputs, "applicationId"))
    require_owner(state, application)
    uri = text(inputs, "identifierUri")
    require_free_uri(state, uri)
    segment = base64.urlsafe_b64encode(uri.encode()).decode()
    return Resource(
        id=f"{application.id}/identifierUris/{segment}", token=IDENTIFIER_URI, inputs=inputs, outputs=dict(inputs)
    )


def _delete_part(state: State, part: Resource) -> None:
    """Take a part off its application, which is an update of the application."""
    require_owner(state, by_id(state, part.outputs["applicationId"]))


# What cannot change is what pulumi-azuread documents with "Changing this forces a new resource to be created".
TYPES = (
    fixed(
        PASSWORD,
        Shape("applicationId", "displayName endDate endDateRelative rotateWhenChanged startDate"),
        _create_password,
        on_delete=_delete_part,
    ),
    fixed(
        APP_ROLE_ASSIGNMENT,
        Shape("appRoleId principalObjectId resourceObjectId"),
        _create_app_role_assignment,
        on_delete=_delete_app_role_assignment,
    ),
    ResourceType(
        token=PRE_AUTHORIZED,
        shape=Shape("applicationId authorizedClientId permissionIds"),
        create=_create_pre_authorized,
        update=_update_pre_authorized,
        immutable={"applicationId": always, "authorizedClientId": always},
        on_delete=_delete_part,
    ),
    ResourceType(
        token=DELEGATED_GRANT,
        shape=Shape("claimValues resourceServicePrincipalObjectId servicePrincipalObjectId", "userObjectId"),
        create=_create_grant,
        update=_update_grant,
        immutable=dict.fromkeys(
            ("resourceServicePrincipalObjectId", "servicePrincipalObjectId", "userObjectId"), always
        ),
        on_delete=lambda state, grant: require_administrator(state, grant.id),
    ),
    fixed(IDENTIFIER_URI, Shape("applicationId identifierUri"), _create_identifier_uri, on_delete=_delete_part),
)
