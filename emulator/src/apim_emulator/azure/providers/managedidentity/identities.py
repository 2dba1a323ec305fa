"""Identities of a resource: its system-assigned one, and the user-assigned ones that are attached to it."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.managedidentity import USER_ASSIGNED_IDENTITY
from apim_emulator.azure.providers.managedidentity.exceptions import FailedIdentityOperationError
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.model import ManagedIdentity

_KINDS = frozenset({"None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"})


def attach_identities(state: State, resource: Resource) -> None:
    """Give a new or changed resource the identities that its `identity` input asks for.

    A system-assigned identity stays as long as the resource has one; the next one is another principal.
    """
    asked = resource.inputs.get("identity")
    if asked is None:
        return
    kind = str(asked.get("type", "None")).replace(" ", "")
    if kind not in _KINDS:
        raise ValidationError(
            f"identity.type {asked['type']!r} is not one of {', '.join(sorted(_KINDS))}", "identity.type"
        )
    wanted = list(asked.get("userAssignedIdentities") or ())
    if ("UserAssigned" in kind.split(",")) != bool(wanted):
        raise ValidationError(
            f"identity.type {asked['type']!r} and {len(wanted)} user-assigned identities contradict each other",
            "identity.userAssignedIdentities",
        )
    identity: Properties = {"type": asked["type"]}
    if kind.startswith("SystemAssigned"):
        before = state.find(resource.id)
        kept = (before.outputs.get("identity") or {}).get("principalId") if before else None
        principal_id = kept or state.fresh_guid("identity", resource.id)
        identity |= {"principalId": principal_id, "tenantId": state.tenant_id}
    if wanted:
        identity["userAssignedIdentities"] = {key: _attached(state, key) for key in wanted}
    resource.outputs["identity"] = identity


def _attached(state: State, resource_id: str) -> Properties:
    found = state.find(resource_id)
    if found is None or found.token != USER_ASSIGNED_IDENTITY:
        raise FailedIdentityOperationError(
            f"the user-assigned identity {resource_id!r} was not found",
            "identity.userAssignedIdentities",
        )
    return {"principalId": found.outputs["principalId"], "clientId": found.outputs["clientId"]}


def identities(state: State, resource: Resource) -> tuple[ManagedIdentity, ...]:
    """Identities of a resource, the system-assigned one first."""
    identity = resource.outputs.get("identity") or {}
    found = []
    if "principalId" in identity:
        principal_id = identity["principalId"]
        client_id = state.guid("client", principal_id)
        found.append(ManagedIdentity(principal_id=principal_id, client_id=client_id, system_assigned=True))
    found += [
        ManagedIdentity(principal_id=entry["principalId"], client_id=entry["clientId"], system_assigned=False)
        for entry in (identity.get("userAssignedIdentities") or {}).values()
    ]
    return tuple(found)
