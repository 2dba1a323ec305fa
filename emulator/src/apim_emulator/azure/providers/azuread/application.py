"""App registrations.

What cannot change is what pulumi-azuread documents with "Changing this forces a new resource to be created".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apim_emulator.azure.providers.azuread import APPLICATION, SERVICE_PRINCIPAL
from apim_emulator.azure.providers.azuread.exceptions import BadRequestError
from apim_emulator.azure.providers.azuread.ownership import new_owners, require_owner
from apim_emulator.azure.providers.azuread.references import lookup, require_free_uri
from apim_emulator.azure.resource_types import ResourceType, Shape, always, required_text
from apim_emulator.azure.state import Properties, Resource, State

_ROLE = Shape("allowedMemberTypes description displayName id", "enabled value")

_SCOPE = Shape(
    "id",
    "adminConsentDescription adminConsentDisplayName enabled type userConsentDescription userConsentDisplayName value",
)


def new_application(state: State, identity: str, inputs: Properties, tenant_id: str) -> Resource:
    """App registration whose client ID depends on the seed, the tenant and `identity`."""
    object_id = state.fresh_guid("application", tenant_id, identity)
    application = Resource(
        id=f"/applications/{object_id}", token=APPLICATION, inputs=inputs, private={"tenant_id": tenant_id}
    )
    _fill(state, application)
    return application


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    required_text(inputs, "displayName")
    application = new_application(state, logical_name, inputs, state.tenant_id)
    application.outputs["owners"] = new_owners(state, inputs)
    return application


def _fill(state: State, application: Resource) -> None:
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
            raise BadRequestError(f"{target}: id {item['id']!r} or value {value!r} twice", target)
        seen.add(item["id"].lower())
        if value:
            by_value[value] = item["id"]
    return by_value


def _update(state: State, application: Resource, inputs: Properties) -> Resource:
    required_text(inputs, "displayName")
    require_owner(state, application)
    changed = replace(application, inputs=inputs)
    _fill(state, changed)
    changed.outputs["owners"] = new_owners(state, inputs, application)
    for principal in state.of(SERVICE_PRINCIPAL):
        if principal.outputs["clientId"] == changed.outputs["clientId"]:
            state.put(replace(principal, outputs=principal.outputs | shared_outputs(changed)))
    return changed


def shared_outputs(application: Resource) -> Properties:
    """Return the outputs that a service principal takes from its application."""
    shared = {key: application.outputs[key] for key in ("displayName", "appRoleIds", "oauth2PermissionScopeIds")}
    return shared | {"appRoles": application.outputs.get("appRoles") or []}


def _delete(state: State, application: Resource) -> None:
    require_owner(state, application)
    for principal in state.of(SERVICE_PRINCIPAL):
        if principal.outputs["clientId"].lower() == application.outputs["clientId"]:
            state.remove(principal.id)


TYPE = ResourceType(
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
    create=_create,
    update=_update,
    immutable={"templateId": always},
    on_delete=_delete,
)

GET = lookup("azuread:index/getApplication:getApplication", APPLICATION)
