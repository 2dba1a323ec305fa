"""App registrations and their service principals."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apim_emulator.azure.authorization import SERVICE_PRINCIPAL
from apim_emulator.azure.azuread.ownership import new_owners, require_owner
from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.errors import CloudError
from apim_emulator.azure.shape import Shape
from apim_emulator.azure.state import Properties, Resource, ResourceType, State, always, text

APPLICATION = "azuread:index/application:Application"
IDENTIFIER_URI = "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri"


def identifier_uris(state: State, application: Resource) -> tuple[str, ...]:
    """Return the identifier URIs of an application, its own and those added to it."""
    own = application.outputs.get("identifierUris") or []
    return (*own, *(extra.outputs["identifierUri"] for extra in state.of(IDENTIFIER_URI, under=application.id)))


def by_id(state: State, resource_id: str) -> Resource:
    """Application by resource ID."""
    found = state.find(resource_id)
    if found is None or found.token != APPLICATION:
        raise missing("application", resource_id, "applicationId")
    return found


def by_client_id(state: State, client_id: str) -> Resource:
    """Application by client ID."""
    for application in state.of(APPLICATION):
        if application.outputs["clientId"] == client_id.lower():
            return application
    raise missing("application", client_id, "clientId")


def missing(kind: str, name: str, target: str) -> CloudError:
    """Refuse a reference to what is not in the directory."""
    return CloudError("Request_ResourceNotFound", f"{kind} {name!r} does not exist in the directory", target)


def require_free_uri(state: State, uri: str, owner: Resource | None = None) -> None:
    """Refuse an identifier URI that an application has, but for those in the inputs of `owner`."""
    others = state.others(owner) if owner else state.of(APPLICATION)
    if any(uri in identifier_uris(state, other) for other in others):
        raise CloudError(
            "Request_BadRequest", f"another application already has the identifier URI {uri!r}", "identifierUris"
        )


def new_application(state: State, identity: str, inputs: Properties, tenant_id: str) -> Resource:
    """App registration whose client ID depends on the seed, the tenant and `identity`."""
    object_id = state.fresh_guid("application", tenant_id, identity)
    application = Resource(
        id=f"/applications/{object_id}", token=APPLICATION, inputs=inputs, private={"tenant_id": tenant_id}
    )
    _fill_application(state, application)
    return application


def _fill_application(state: State, application: Resource) -> None:
    inputs, object_id = application.inputs, application.name
    roles = _permissions(inputs.get("appRoles"), "appRoles")
    scopes = _permissions((inputs.get("api") or {}).get("oauth2PermissionScopes"), "api.oauth2PermissionScopes")
    for uri in inputs.get("identifierUris") or ():
        require_free_uri(state, uri, application)
    application.outputs = {
        **inputs,
        "clientId": state.guid("client", object_id),
        "objectId": object_id,
        "appRoleIds": roles,
        "oauth2PermissionScopeIds": scopes,
        "publisherDomain": f"{application.private['tenant_id']}.onmicrosoft.com",
    }


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


def _create_application(state: State, logical_name: str, inputs: Properties) -> Resource:
    text(inputs, "displayName")
    application = new_application(state, logical_name, inputs, state.tenant_id)
    application.outputs["owners"] = new_owners(state, inputs)
    return application


def _update_application(state: State, application: Resource, inputs: Properties) -> Resource:
    text(inputs, "displayName")
    require_owner(state, application)
    changed = replace(application, inputs=inputs)
    _fill_application(state, changed)
    changed.outputs["owners"] = new_owners(state, inputs, application)
    for principal in state.of(SERVICE_PRINCIPAL):
        if principal.outputs["clientId"] == changed.outputs["clientId"]:
            state.put(replace(principal, outputs=principal.outputs | _shared(changed)))
    return changed


def _shared(application: Resource) -> Properties:
    """Return the outputs that a service principal takes from its application."""
    shared = {key: application.outputs[key] for key in ("displayName", "appRoleIds", "oauth2PermissionScopeIds")}
    return shared | {"appRoles": application.outputs.get("appRoles") or []}


def _delete_application(state: State, application: Resource) -> None:
    require_owner(state, application)
    for principal in state.of(SERVICE_PRINCIPAL):
        if principal.outputs["clientId"].lower() == application.outputs["clientId"]:
            state.remove(principal.id)


def new_service_principal(state: State, application: Resource, inputs: Properties) -> Resource:
    """Service principal of an application, in the application's own tenant."""
    return _service_principal(state, application, state.fresh_guid("servicePrincipal", application.id), inputs)


def _create_service_principal(state: State, _logical_name: str, inputs: Properties) -> Resource:
    """Create it for an owner of the application ("Create servicePrincipal"), or take over the one that exists."""
    application = by_client_id(state, text(inputs, "clientId"))
    for found in state.of(SERVICE_PRINCIPAL):
        if found.outputs["clientId"].lower() == application.outputs["clientId"]:
            if inputs.get("useExisting"):
                changed = _update_service_principal(state, found, inputs)
                state.put(changed)
                return changed
            raise CloudError(
                "Request_MultipleObjectsWithSameKeyValue",
                f"the application {inputs['clientId']!r} already has a service principal",
                "clientId",
            )
    require_owner(state, application)
    principal = new_service_principal(state, application, inputs)
    principal.outputs["owners"] = new_owners(state, inputs)
    return principal


def _update_service_principal(state: State, principal: Resource, inputs: Properties) -> Resource:
    application = by_client_id(state, inputs["clientId"])
    _require_manager(state, principal, application)
    changed = _service_principal(state, application, principal.name, inputs)
    changed.outputs["owners"] = new_owners(state, inputs, principal)
    return changed


def _delete_service_principal(state: State, principal: Resource) -> None:
    _require_manager(state, principal, by_client_id(state, principal.outputs["clientId"]))


def _require_manager(state: State, principal: Resource, application: Resource) -> None:
    """Refuse who does not own it; Application.ReadWrite.OwnedBy wants the application to be owned as well."""
    require_owner(state, principal, *([application] if state.deployer is Deployer.PIPELINE else []))


def _service_principal(state: State, application: Resource, object_id: str, inputs: Properties) -> Resource:
    outputs = {
        **inputs,
        **_shared(application),
        "objectId": object_id,
        "applicationTenantId": application.private["tenant_id"],
        "servicePrincipalNames": [application.outputs["clientId"], *identifier_uris(state, application)],
        "type": "Application",
    }
    tenant = {"tenant_id": application.private["tenant_id"]}
    return Resource(
        id=f"/servicePrincipals/{object_id}", token=SERVICE_PRINCIPAL, inputs=inputs, outputs=outputs, private=tenant
    )


_ROLE = Shape("allowedMemberTypes description displayName id", "enabled value")
_SCOPE = Shape(
    "id",
    "adminConsentDescription adminConsentDisplayName enabled type userConsentDescription userConsentDisplayName value",
)

# What cannot change is what pulumi-azuread documents with "Changing this forces a new resource to be created".
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
        update=_update_application,
        immutable={"templateId": always},
        on_delete=_delete_application,
    ),
    ResourceType(
        token=SERVICE_PRINCIPAL,
        shape=Shape(
            "clientId",
            "accountEnabled alternativeNames appRoleAssignmentRequired description featureTags features loginUrl "
            "notes notificationEmailAddresses owners preferredSingleSignOnMode samlSingleSignOn tags useExisting",
        ),
        create=_create_service_principal,
        update=_update_service_principal,
        immutable={"clientId": always},
        on_delete=_delete_service_principal,
    ),
)
