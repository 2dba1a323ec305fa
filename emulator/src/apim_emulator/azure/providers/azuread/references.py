"""Applications by what refers to them, and what belongs to them."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.azuread import APPLICATION, IDENTIFIER_URI
from apim_emulator.azure.providers.azuread.exceptions import BadRequestError, ObjectNotFoundError
from apim_emulator.azure.providers.azuread.ownership import require_owner
from apim_emulator.azure.resource_types import Function
from apim_emulator.azure.state import Properties, Resource, State


def by_id(state: State, resource_id: str) -> Resource:
    """Application by resource ID."""
    found = state.find(resource_id)
    if found is None or found.token != APPLICATION:
        raise ObjectNotFoundError("application", resource_id, "applicationId")
    return found


def by_client_id(state: State, client_id: str) -> Resource:
    """Application by client ID."""
    for application in state.of(APPLICATION):
        if application.outputs["clientId"] == client_id.lower():
            return application
    raise ObjectNotFoundError("application", client_id, "clientId")


def require_application_owner(state: State, part: Resource) -> None:
    """Refuse who does not own the application of a part: taking one off is an update of the application."""
    require_owner(state, by_id(state, part.outputs["applicationId"]))


def identifier_uris(state: State, application: Resource) -> tuple[str, ...]:
    """Return the identifier URIs of an application, its own and those added to it."""
    own = application.outputs.get("identifierUris") or []
    return (*own, *(extra.outputs["identifierUri"] for extra in state.of(IDENTIFIER_URI, under=application.id)))


def require_free_uri(state: State, uri: str, owner: Resource | None = None) -> None:
    """Refuse an identifier URI that an application has, except those in the inputs of `owner`."""
    others = state.others(owner) if owner else state.of(APPLICATION)
    if any(uri in identifier_uris(state, other) for other in others):
        raise BadRequestError(f"another application already has the identifier URI {uri!r}", "identifierUris")


def _names(state: State, resource: Resource) -> Properties:
    """Names of a service principal, which Entra copies from its application (Microsoft Graph: servicePrincipal)."""
    if "servicePrincipalNames" not in resource.outputs:
        return {}
    client_id = resource.outputs["clientId"]
    return {"servicePrincipalNames": [client_id, *identifier_uris(state, by_client_id(state, client_id))]}


_KEYS = ("clientId", "objectId", "displayName")


def lookup(function: str, token: str) -> Function:
    """Return the function that finds an object of the home tenant by one of `_KEYS` or by identifier URI."""

    def find(state: State, args: Properties) -> Properties:
        given = {key: args[key] for key in (*_KEYS, "identifierUri") if args.get(key) is not None}
        if not given:
            raise ValidationError(f"one of {', '.join(_KEYS)} is required", _KEYS[0])
        uri = given.pop("identifierUri", None)
        found = [
            resource
            for resource in state.of(token)
            if all(str(resource.outputs[key]).lower() == str(value).lower() for key, value in given.items())
            and resource.private["tenant_id"] == state.tenant_id
            and (uri is None or uri in identifier_uris(state, by_client_id(state, resource.outputs["clientId"])))
        ]
        if len(found) > 1:  # names are not unique (terraform-provider-azuread, `service_principal_data_source.go`)
            raise BadRequestError(f"found multiple objects matching {', '.join(map(str, given.values()))}", _KEYS[-1])
        if found:
            return {"id": found[0].id, **found[0].outputs, **_names(state, found[0])}
        raise ObjectNotFoundError(
            token.rsplit(":", 1)[1], ", ".join(map(str, [*given.values(), uri or ""])).strip(", "), _KEYS[0]
        )

    return Function(function, find)
