"""Who holds which role, and which principals there are."""

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.providers.authorization import ROLE_ASSIGNMENT
from apim_emulator.azure.providers.azuread import GROUP, SERVICE_PRINCIPAL, USER
from apim_emulator.azure.providers.managedidentity import USER_ASSIGNED_IDENTITY
from apim_emulator.azure.state import State

_KINDS = {GROUP: "Group", USER: "User"}
"""Types of principals whose resources are otherwise not modelled."""


def has_role(state: State, principal_id: str, role_id: str, scope: str) -> bool:
    """Whether a principal that still exists holds a role on a resource ID or on a scope above it, with effect by now.

    A role takes up to ten minutes to have one ("Troubleshoot Azure RBAC").
    """
    wanted = f"{scope.rstrip('/')}/".lower()
    held = any(
        assignment.outputs["principalId"].lower() == principal_id.lower()
        and assignment.private["role"] == role_id.lower()
        and assignment.private["effective"] <= state.now
        and wanted.startswith(f"{assignment.outputs['scope'].rstrip('/')}/".lower())
        for assignment in state.of(ROLE_ASSIGNMENT)
    )
    return held and principal_type(state, principal_id) is not None


def principal_type(state: State, principal_id: str) -> str | None:
    """Type of a principal of the home tenant, None where there is no such principal."""
    wanted = principal_id.lower()
    for deployer in Deployer:
        if wanted == state.object_id(deployer):
            return deployer.principal_type
    for token, kind in _KINDS.items():
        if any(found.outputs.get("objectId") == wanted for found in state.of(token)):
            return kind
    identities = (identity.outputs["principalId"] for identity in state.of(USER_ASSIGNED_IDENTITY))
    principals = (
        principal.outputs["objectId"]
        for principal in state.of(SERVICE_PRINCIPAL)
        if principal.private["tenant_id"] == state.tenant_id
    )
    if wanted in identities or wanted in principals or wanted in _system_assigned(state):
        return "ServicePrincipal"
    return None


def _system_assigned(state: State) -> set[str]:
    return {
        identity["principalId"]
        for resource in state.all()
        if isinstance(identity := resource.outputs.get("identity"), dict) and "principalId" in identity
    }


def identity_tenant(state: State, principal_id: str) -> str | None:
    """Tenant of a managed identity, system- or user-assigned."""
    user_assigned = {identity.outputs["principalId"] for identity in state.of(USER_ASSIGNED_IDENTITY)}
    return state.tenant_id if principal_id.lower() in user_assigned | _system_assigned(state) else None
