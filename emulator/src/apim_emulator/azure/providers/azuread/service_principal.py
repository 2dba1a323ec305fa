"""Service principals of app registrations."""

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.providers.azuread import SERVICE_PRINCIPAL
from apim_emulator.azure.providers.azuread.application import shared_outputs
from apim_emulator.azure.providers.azuread.exceptions import MultipleObjectsWithSameKeyValueError
from apim_emulator.azure.providers.azuread.ownership import new_owners, require_owner
from apim_emulator.azure.providers.azuread.references import by_client_id, identifier_uris, lookup
from apim_emulator.azure.resource_types import ResourceType, Shape, always, required_text
from apim_emulator.azure.state import Properties, Resource, State


def new_service_principal(state: State, application: Resource, inputs: Properties) -> Resource:
    """Service principal of an application, in the application's own tenant."""
    return _service_principal(state, application, state.fresh_guid("servicePrincipal", application.id), inputs)


def _create(state: State, _logical_name: str, inputs: Properties) -> Resource:
    """Create it for an owner of the application ("Create servicePrincipal"), or take over the one that exists."""
    application = by_client_id(state, required_text(inputs, "clientId"))
    for found in state.of(SERVICE_PRINCIPAL):
        if found.outputs["clientId"].lower() == application.outputs["clientId"]:
            if inputs.get("useExisting"):
                changed = _update(state, found, inputs)
                state.put(changed)
                return changed
            raise MultipleObjectsWithSameKeyValueError(
                f"the application {inputs['clientId']!r} already has a service principal",
                "clientId",
            )
    require_owner(state, application)
    principal = new_service_principal(state, application, inputs)
    principal.outputs["owners"] = new_owners(state, inputs)
    return principal


def _update(state: State, principal: Resource, inputs: Properties) -> Resource:
    application = by_client_id(state, inputs["clientId"])
    _require_manager(state, principal, application)
    changed = _service_principal(state, application, principal.name, inputs)
    changed.outputs["owners"] = new_owners(state, inputs, principal)
    return changed


def _delete(state: State, principal: Resource) -> None:
    _require_manager(state, principal, by_client_id(state, principal.outputs["clientId"]))


def _require_manager(state: State, principal: Resource, application: Resource) -> None:
    """Refuse who does not own it; Application.ReadWrite.OwnedBy wants the application to be owned as well."""
    require_owner(state, principal, *([application] if state.deployer is Deployer.PIPELINE else []))


def _service_principal(state: State, application: Resource, object_id: str, inputs: Properties) -> Resource:
    outputs = {
        **inputs,
        **shared_outputs(application),
        "objectId": object_id,
        "applicationTenantId": application.private["tenant_id"],
        "servicePrincipalNames": [application.outputs["clientId"], *identifier_uris(state, application)],
        "type": "Application",
    }
    tenant = {"tenant_id": application.private["tenant_id"]}
    return Resource(
        id=f"/servicePrincipals/{object_id}", token=SERVICE_PRINCIPAL, inputs=inputs, outputs=outputs, private=tenant
    )


TYPE = ResourceType(
    token=SERVICE_PRINCIPAL,
    shape=Shape(
        "clientId",
        "accountEnabled alternativeNames appRoleAssignmentRequired description featureTags features loginUrl "
        "notes notificationEmailAddresses owners preferredSingleSignOnMode samlSingleSignOn tags useExisting",
    ),
    create=_create,
    update=_update,
    immutable={"clientId": always},
    on_delete=_delete,
)

GET = lookup("azuread:index/getServicePrincipal:getServicePrincipal", SERVICE_PRINCIPAL)
