"""App registrations, service principals and app roles (Microsoft Entra ID, by Microsoft Graph)."""

import base64
import secrets
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.authorization import SERVICE_PRINCIPAL, principal_type
from sandbox.cloud.errors import CloudError, invalid
from sandbox.cloud.shape import Shape
from sandbox.cloud.state import Invoke, Properties, Resource, ResourceType, State, text
from sandbox.model import Application

APPLICATION = "azuread:index/application:Application"
PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"  # noqa: S105 - a type token
APP_ROLE_ASSIGNMENT = "azuread:index/appRoleAssignment:AppRoleAssignment"
PRE_AUTHORIZED = "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized"
IDENTIFIER_URI = "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri"

DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""App role of an assignment to an application that defines none (Microsoft Graph: appRoleAssignment)."""


def applications(state: State) -> tuple[Application, ...]:
    """App registrations with a service principal; Entra issues no token for or to one without."""
    return tuple(_application(state, principal) for principal in state.of(SERVICE_PRINCIPAL))


def _application(state: State, principal: Resource) -> Application:
    application = _by_client_id(state, principal.outputs["clientId"])
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
        identifier_uris=_identifier_uris(state, application),
        app_roles=roles,
        token_version=int((application.outputs.get("api") or {}).get("requestedAccessTokenVersion") or 1),
        assignment_required=bool(principal.outputs.get("appRoleAssignmentRequired")),
        assignments={key: frozenset(values) for key, values in assignments.items()},
        secrets=tuple(password.private["value"] for password in state.of(PASSWORD, under=application.id)),
    )


def _identifier_uris(state: State, application: Resource) -> tuple[str, ...]:
    own = application.outputs.get("identifierUris") or []
    return (*own, *(extra.outputs["identifierUri"] for extra in state.of(IDENTIFIER_URI, under=application.id)))


def new_application(state: State, identity: str, inputs: Properties, tenant_id: str) -> Resource:
    """App registration whose client ID depends on the seed, the tenant and `identity`."""
    object_id = state.fresh_guid("application", tenant_id, identity)
    roles = _permissions(inputs.get("appRoles"), "appRoles")
    scopes = _permissions((inputs.get("api") or {}).get("oauth2PermissionScopes"), "api.oauth2PermissionScopes")
    for uri in inputs.get("identifierUris") or ():
        _require_free_uri(state, uri)
    outputs = {
        **inputs,
        "clientId": state.guid("client", object_id),
        "objectId": object_id,
        "appRoleIds": roles,
        "oauth2PermissionScopeIds": scopes,
        "publisherDomain": f"{tenant_id}.onmicrosoft.com",
    }
    return Resource(
        id=f"/applications/{object_id}",
        token=APPLICATION,
        inputs=inputs,
        outputs=outputs,
        private={"tenant_id": tenant_id},
    )


def _permissions(items: list[Mapping[str, Any]] | None, target: str) -> dict[str, str]:
    """Value -> ID of app roles or scopes, whose IDs and values must each be unique."""
    seen: set[str] = set()
    by_value: dict[str, str] = {}
    for item in items or ():
        value = item.get("value") or ""
        if item["id"].lower() in seen or value in by_value:
            raise CloudError("Request_BadRequest", f"{target}: id {item['id']!r} or value {value!r} twice", target)
        seen.add(item["id"].lower())
        if value:
            by_value[value] = item["id"]
    return by_value


def _require_free_uri(state: State, uri: str) -> None:
    if any(uri in _identifier_uris(state, other) for other in state.of(APPLICATION)):
        raise CloudError(
            "Request_BadRequest", f"another application already has the identifier URI {uri!r}", "identifierUris"
        )


def _create_application(state: State, logical_name: str, inputs: Properties) -> Resource:
    text(inputs, "displayName")
    return new_application(state, logical_name, inputs, state.tenant_id)


def _delete_application(state: State, application: Resource) -> None:
    for principal in state.of(SERVICE_PRINCIPAL):
        if principal.outputs["clientId"].lower() == application.outputs["clientId"]:
            state.remove(principal.id)


def new_service_principal(state: State, inputs: Properties) -> Resource:
    """Service principal of an application, in the application's own tenant."""
    application = _by_client_id(state, text(inputs, "clientId"))
    object_id = state.guid("servicePrincipal", application.id)
    resource_id = f"/servicePrincipals/{object_id}"
    found = state.find(resource_id)
    if found is not None and inputs.get("useExisting"):
        return found
    if found is not None:
        raise CloudError(
            "Request_MultipleObjectsWithSameKeyValue",
            f"the application {inputs['clientId']!r} already has a service principal",
            "clientId",
        )
    shared = {key: application.outputs[key] for key in ("displayName", "appRoleIds", "oauth2PermissionScopeIds")}
    outputs = {
        **inputs,
        **shared,
        "objectId": object_id,
        "appRoles": application.outputs.get("appRoles") or [],
        "applicationTenantId": application.private["tenant_id"],
        "servicePrincipalNames": [application.outputs["clientId"], *_identifier_uris(state, application)],
        "type": "Application",
    }
    tenant = {"tenant_id": application.private["tenant_id"]}
    return Resource(id=resource_id, token=SERVICE_PRINCIPAL, inputs=inputs, outputs=outputs, private=tenant)


def _create_password(state: State, logical_name: str, inputs: Properties) -> Resource:
    application = _by_id(state, text(inputs, "applicationId"))
    key_id = state.guid("password", application.id, logical_name)
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
        raise _missing("service principal", resource_id, "resourceObjectId")
    kind = principal_type(state, principal_id)
    if kind is None:
        raise _missing("principal", principal_id, "principalObjectId")
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


def _create_pre_authorized(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = _by_id(state, text(inputs, "applicationId"))
    known = {scope.lower() for scope in application.outputs["oauth2PermissionScopeIds"].values()}
    for permission in inputs["permissionIds"]:
        if permission.lower() not in known:
            raise CloudError(
                "InvalidValue", f"the permission {permission!r} is not a scope of the application", "permissionIds"
            )
    return Resource(
        id=f"{application.id}/preAuthorizedApplications/{text(inputs, 'authorizedClientId')}",
        token=PRE_AUTHORIZED,
        inputs=inputs,
        outputs=dict(inputs),
    )


def _create_identifier_uri(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = _by_id(state, text(inputs, "applicationId"))
    uri = text(inputs, "identifierUri")
    _require_free_uri(state, uri)
    segment = base64.urlsafe_b64encode(uri.encode()).decode()
    return Resource(
        id=f"{application.id}/identifierUris/{segment}", token=IDENTIFIER_URI, inputs=inputs, outputs=dict(inputs)
    )


def _by_id(state: State, resource_id: str) -> Resource:
    found = state.find(resource_id)
    if found is None or found.token != APPLICATION:
        raise _missing("application", resource_id, "applicationId")
    return found


def _by_client_id(state: State, client_id: str) -> Resource:
    for application in state.of(APPLICATION):
        if application.outputs["clientId"] == client_id.lower():
            return application
    raise _missing("application", client_id, "clientId")


def _missing(kind: str, name: str, target: str) -> CloudError:
    return CloudError("Request_ResourceNotFound", f"{kind} {name!r} does not exist in the directory", target)


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
                and (uri is None or uri in _identifier_uris(state, resource))
            ):
                return {"id": resource.id, **resource.outputs}
        raise _missing(token.rsplit(":", 1)[1], ", ".join(map(str, [*given.values(), uri or ""])).strip(", "), keys[0])

    return find


def _client_config(state: State, _args: Properties) -> Properties:
    object_id = state.deployer_object_id
    return {
        "id": f"{state.tenant_id}-{state.deployer_client_id}-{object_id}",
        "clientId": state.deployer_client_id,
        "objectId": object_id,
        "tenantId": state.tenant_id,
    }


_ROLE = Shape("allowedMemberTypes description displayName id", "enabled value")
_SCOPE = Shape(
    "id",
    "adminConsentDescription adminConsentDisplayName enabled type userConsentDescription userConsentDisplayName value",
)

TYPES = (
    ResourceType(
        token=APPLICATION,
        shape=Shape(
            "displayName",
            "api appRoles description deviceOnlyAuthEnabled fallbackPublicClientEnabled featureTags "
            "groupMembershipClaims identifierUris logoImage marketingUrl notes oauth2PostResponseRequired "
            "optionalClaims owners preventDuplicateNames privacyStatementUrl publicClient requiredResourceAccesses "
            "serviceManagementReference signInAudience singlePageApplication supportUrl tags templateId "
            "termsOfServiceUrl web",
            api=Shape(
                "",
                "knownClientApplications mappedClaimsEnabled oauth2PermissionScopes requestedAccessTokenVersion",
                oauth2PermissionScopes=_SCOPE,
            ),
            appRoles=_ROLE,
        ),
        create=_create_application,
        on_delete=_delete_application,
    ),
    ResourceType(
        token=SERVICE_PRINCIPAL,
        shape=Shape(
            "clientId",
            "accountEnabled alternativeNames appRoleAssignmentRequired description featureTags features loginUrl "
            "notes notificationEmailAddresses owners preferredSingleSignOnMode samlSingleSignOn tags useExisting",
        ),
        create=lambda state, _name, inputs: new_service_principal(state, inputs),
    ),
    ResourceType(
        token=PASSWORD,
        shape=Shape("applicationId", "displayName endDate endDateRelative rotateWhenChanged startDate"),
        create=_create_password,
    ),
    ResourceType(
        token=APP_ROLE_ASSIGNMENT,
        shape=Shape("appRoleId principalObjectId resourceObjectId"),
        create=_create_app_role_assignment,
    ),
    ResourceType(
        token=PRE_AUTHORIZED,
        shape=Shape("applicationId authorizedClientId permissionIds"),
        create=_create_pre_authorized,
    ),
    ResourceType(
        token=IDENTIFIER_URI,
        shape=Shape("applicationId identifierUri"),
        create=_create_identifier_uri,
    ),
)

INVOKES: dict[str, Invoke] = {
    "azuread:index/getApplication:getApplication": _find(APPLICATION, ("clientId", "objectId", "displayName")),
    "azuread:index/getServicePrincipal:getServicePrincipal": _find(
        SERVICE_PRINCIPAL, ("clientId", "objectId", "displayName")
    ),
    "azuread:index/getClientConfig:getClientConfig": _client_config,
}
