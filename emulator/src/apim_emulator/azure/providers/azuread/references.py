"""Applications by what refers to them, and what belongs to them."""

from apim_emulator.azure.providers.azuread import APPLICATION, IDENTIFIER_URI
from apim_emulator.azure.providers.azuread.exceptions import BadRequestError, ObjectNotFoundError
from apim_emulator.azure.providers.azuread.ownership import require_owner
from apim_emulator.azure.state import Resource, State


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


def remove_part(state: State, part: Resource) -> None:
    """Take a part off its application, which is an update of the application."""
    require_owner(state, by_id(state, part.outputs["applicationId"]))


def identifier_uris(state: State, application: Resource) -> tuple[str, ...]:
    """Return the identifier URIs of an application, its own and those added to it."""
    own = application.outputs.get("identifierUris") or []
    return (*own, *(extra.outputs["identifierUri"] for extra in state.of(IDENTIFIER_URI, under=application.id)))


def require_free_uri(state: State, uri: str, owner: Resource | None = None) -> None:
    """Refuse an identifier URI that an application has, but for those in the inputs of `owner`."""
    others = state.others(owner) if owner else state.of(APPLICATION)
    if any(uri in identifier_uris(state, other) for other in others):
        raise BadRequestError(f"another application already has the identifier URI {uri!r}", "identifierUris")
