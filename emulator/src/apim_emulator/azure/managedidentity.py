"""Managed identities: user-assigned ones, and those that other resources carry (Microsoft.ManagedIdentity)."""

from apim_emulator.azure.arm import arm_type, described, existing
from apim_emulator.azure.errors import CloudError, invalid
from apim_emulator.azure.shape import Shape
from apim_emulator.azure.state import Invoke, Properties, Resource, State
from apim_emulator.model import ManagedIdentity

USER_ASSIGNED_IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
_PATH = "Microsoft.ManagedIdentity/userAssignedIdentities"
_KINDS = frozenset({"None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"})


def attach(state: State, resource: Resource) -> None:
    """Give a new or changed resource the identities that its `identity` input asks for.

    A system-assigned identity stays as long as the resource has one; the next one is another principal.
    """
    asked = resource.inputs.get("identity")
    if asked is None:
        return
    kind = str(asked.get("type", "None")).replace(" ", "")
    if kind not in _KINDS:
        raise invalid(f"identity.type {asked['type']!r} is not one of {', '.join(sorted(_KINDS))}", "identity.type")
    wanted = list(asked.get("userAssignedIdentities") or ())
    if ("UserAssigned" in kind.split(",")) != bool(wanted):
        raise invalid(
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
        raise CloudError(
            "FailedIdentityOperation",
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


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    before = state.find(resource.id)
    for name, part in (("principalId", "identity"), ("clientId", "client")):
        resource.outputs[name] = before.outputs[name] if before else state.fresh_guid(part, resource.id)
    resource.outputs["tenantId"] = state.tenant_id


TYPES = (
    arm_type(
        USER_ASSIGNED_IDENTITY,
        _PATH,
        "resourceName",
        Shape("resourceGroupName", "location resourceName tags"),
        _complete,
        pattern=r"^[A-Za-z0-9][\w-]{2,127}$",
    ),
)

INVOKES: dict[str, Invoke] = {
    "azure-native:managedidentity:getUserAssignedIdentity": lambda state, args: described(
        existing(state, _PATH, args, "resourceName")
    ),
}
