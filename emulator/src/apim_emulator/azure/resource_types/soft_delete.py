"""Soft delete: what was deleted keeps its name until it is restored or purged, or its time is over."""

from collections.abc import Mapping

from apim_emulator.azure.exceptions import ResourceNotFoundError
from apim_emulator.azure.resource_types.resource_type import ResourceType, SoftDelete
from apim_emulator.azure.state import Resource, State


def delete(state: State, types: Mapping[str, ResourceType], resource: Resource) -> None:
    """Delete a resource and all below it, softly those whose service does so.

    Role assignments go for good, as Key Vault documents it ("Azure Key Vault soft-delete overview").
    """
    for found in state.all(resource.id):
        if "/Microsoft.Authorization/roleAssignments/" in found.id:
            state.remove(found.id)
    for found in state.all(resource.id):
        kind = types.get(found.token)
        if kind is not None and kind.soft_delete is not None:
            state.soft_delete(found, state.now + kind.soft_delete.retention(found))
    state.remove(resource.id)


def restored(state: State, policy: SoftDelete, resource: Resource) -> Resource | None:
    """Restore the soft-deleted resource that a new one asks for, if it does.

    It comes back as it was, whatever else the new one says ("Soft delete for API Management"; of the other services
    inferred). Refuses a new resource with the name of a soft-deleted one, and a restore of what is not there.
    """
    found = (
        _find(state, resource.token, resource.name) if policy.global_name else state.deleted.get(resource.id.lower())
    )
    if not policy.asks_to_restore(resource.inputs):
        if found is None:
            return None
        if not policy.recovered_unasked(state, found):
            raise policy.name_taken(found)
        resource.private |= found.private
        state.purge(found)
        return None
    if found is None or found.id.lower() != resource.id.lower():
        raise policy.not_deleted(resource)
    return state.restore(found)


def purge(state: State, kind: ResourceType, name: str) -> None:
    """Forget a soft-deleted resource, unless its service protects it."""
    found = _find(state, kind.token, name)
    if found is None or kind.soft_delete is None:
        raise ResourceNotFoundError(f"deleted {kind.token}", name)
    if refusal := kind.soft_delete.purge_refused(found):
        raise refusal
    state.purge(found)


def _find(state: State, token: str, name: str) -> Resource | None:
    for found in state.deleted.values():
        if found.token == token and found.name.lower() == name.lower():
            return found
    return None
