"""Azure RBAC: role assignments that gate the data plane (Microsoft.Authorization)."""

import re
import uuid

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.errors import CloudError, invalid, not_found
from apim_emulator.azure.managedidentity import USER_ASSIGNED_IDENTITY
from apim_emulator.azure.shape import Shape, Text
from apim_emulator.azure.state import Invoke, Properties, Resource, ResourceType, State, always, text

ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
SERVICE_PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
USER = "azuread:index/user:User"

_DIRECTORY = {"azuread:index/group:Group": "Group", USER: "User"}
"""Types of principals whose resources are otherwise not modelled."""

KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
KEY_VAULT_SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
KEY_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"

_ROLES = {
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "a001fd3d-188f-4b5d-821b-7da978bf7442": "Cognitive Services OpenAI Contributor",
    "a97b65f3-24c7-4388-baec-2e87135dc908": "Cognitive Services User",
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68": "Cognitive Services Contributor",
    "53ca6127-db72-4b80-b1b0-d745d6d5456d": "Azure AI User",
    KEY_VAULT_SECRETS_USER: "Key Vault Secrets User",
    KEY_VAULT_SECRETS_OFFICER: "Key Vault Secrets Officer",
    KEY_VAULT_ADMINISTRATOR: "Key Vault Administrator",
    "21090545-7ca7-4776-b22c-e363652d74d2": "Key Vault Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""Built-in roles that can be assigned here (Microsoft's "Azure built-in roles")."""

_DEFINITION = re.compile(
    r"^(?:/subscriptions/[^/]+)?/providers/Microsoft\.Authorization/roleDefinitions/([0-9a-f-]{36})$", re.IGNORECASE
)


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
    for token, kind in _DIRECTORY.items():
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


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    scope = text(inputs, "scope").rstrip("/")
    name = inputs.get("roleAssignmentName") or state.fresh_guid("name", ROLE_ASSIGNMENT, logical_name)
    try:
        uuid.UUID(name)
    except ValueError as error:
        raise CloudError(
            "InvalidRoleAssignmentId", f"roleAssignmentName {name!r} must be a GUID", "roleAssignmentName"
        ) from error
    subscription = re.fullmatch("/subscriptions/([^/]+)", scope, re.IGNORECASE)
    if not (state.has_subscription(subscription[1]) if subscription else state.find(scope)):
        raise not_found("scope", scope, "scope")
    role = _role(inputs)
    principal_id = text(inputs, "principalId")
    _require_principal(state, principal_id, inputs.get("principalType", "User"))

    resource_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    state.require_free(resource_id)
    for other in state.of(ROLE_ASSIGNMENT):
        if (other.outputs["scope"].lower(), other.outputs["principalId"].lower(), other.private["role"]) == (
            scope.lower(),
            principal_id.lower(),
            role,
        ):
            conflicting = other.name.replace("-", "")
            raise CloudError(
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the conflicting role assignment is {conflicting}.",
                "principalId",
            )
    private = {"role": role, "effective": state.now + state.role_delay}
    return _assignment(resource_id, {**inputs, "roleAssignmentName": name}, private)


def _assignment(resource_id: str, inputs: Properties, private: Properties) -> Resource:
    outputs = {key: value for key, value in inputs.items() if key != "roleAssignmentName"}
    scope, name = inputs["scope"].rstrip("/"), inputs["roleAssignmentName"]
    outputs |= {"scope": scope, "name": name, "type": "Microsoft.Authorization/roleAssignments"}
    return Resource(id=resource_id, token=ROLE_ASSIGNMENT, inputs=inputs, outputs=outputs, private=private)


def _role(inputs: Properties) -> str:
    definition = text(inputs, "roleDefinitionId")
    match = _DEFINITION.match(definition)
    if match is None:
        raise invalid(
            f"roleDefinitionId {definition!r} must be /subscriptions/{{id}}/providers/Microsoft.Authorization"
            "/roleDefinitions/{guid}",
            "roleDefinitionId",
        )
    role = match[1].lower()
    if role not in _ROLES:
        raise CloudError("RoleDefinitionDoesNotExist", f"the role {role!r} does not exist", "roleDefinitionId")
    return role


def _require_principal(state: State, principal_id: str, given: str) -> None:
    actual = principal_type(state, principal_id)
    if actual is None:
        raise CloudError(
            "PrincipalNotFound",
            f"principal {principal_id!r} does not exist in the tenant {state.tenant_id}",
            "principalId",
        )
    if given != actual:
        raise CloudError(
            "UnmatchedPrincipalType",
            f"principal {principal_id!r} is a {actual}, not a {given}; set principalType to {actual}",
            "principalType",
        )


def _client_config(state: State, _args: Properties) -> Properties:
    return {
        "clientId": state.deployer_client_id,
        "objectId": state.deployer_object_id,
        "subscriptionId": state.subscription_id,
        "tenantId": state.tenant_id,
    }


TYPES = (
    ResourceType(
        token=ROLE_ASSIGNMENT,
        shape=Shape(
            "principalId roleDefinitionId scope",
            "condition conditionVersion delegatedManagedIdentityResourceId description principalType "
            "roleAssignmentName",
            principalType=Text(values=("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")),
        ),
        create=_create,
        update=lambda _state, assignment, inputs: _assignment(assignment.id, inputs, assignment.private),
        # Only what the assignment says can change, not what it assigns ("Azure RBAC: update role assignments").
        immutable={
            "delegatedManagedIdentityResourceId": always,
            "principalId": always,
            "principalType": always,
            "roleAssignmentName": always,
            "roleDefinitionId": always,
            "scope": always,
        },
        assigned=frozenset({"roleAssignmentName"}),
        defaults={"principalType": "User"},
    ),
)


def _get(state: State, args: Properties) -> Properties:
    resource_id = (
        f"{text(args, 'scope')}/providers/Microsoft.Authorization/roleAssignments/{text(args, 'roleAssignmentName')}"
    )
    found = state.find(resource_id)
    if found is None:
        raise not_found("role assignment", resource_id, "roleAssignmentName")
    return {"id": found.id, **found.outputs}


INVOKES: dict[str, Invoke] = {
    "azure-native:authorization:getRoleAssignment": _get,
    "azure-native:authorization:getClientConfig": _client_config,
}
