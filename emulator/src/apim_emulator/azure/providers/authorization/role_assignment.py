"""Role assignments, which gate the data plane."""

import re
import uuid

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.authorization import ROLE_ASSIGNMENT
from apim_emulator.azure.providers.authorization.data_plane import principal_type
from apim_emulator.azure.providers.authorization.exceptions import (
    InvalidRoleAssignmentIdError,
    PrincipalNotFoundError,
    RoleAssignmentExistsError,
    RoleDefinitionDoesNotExistError,
    UnmatchedPrincipalTypeError,
)
from apim_emulator.azure.providers.authorization.roles import ROLES
from apim_emulator.azure.resource_types import Function, ResourceType, Shape, Text, always, required_text
from apim_emulator.azure.state import Properties, Resource, State

_DEFINITION = re.compile(
    r"^(?:/subscriptions/[^/]+)?/providers/Microsoft\.Authorization/roleDefinitions/([0-9a-f-]{36})$", re.IGNORECASE
)


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    scope = required_text(inputs, "scope").rstrip("/")
    name = inputs.get("roleAssignmentName") or state.fresh_guid("name", ROLE_ASSIGNMENT, logical_name)
    try:
        uuid.UUID(name)
    except ValueError as error:
        raise InvalidRoleAssignmentIdError(
            f"roleAssignmentName {name!r} must be a GUID", "roleAssignmentName"
        ) from error
    subscription = re.fullmatch("/subscriptions/([^/]+)", scope, re.IGNORECASE)
    if not (state.has_subscription(subscription[1]) if subscription else state.find(scope)):
        raise ResourceNotFoundError("scope", scope, "scope")
    role = _role(inputs)
    principal_id = required_text(inputs, "principalId")
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
            raise RoleAssignmentExistsError(
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
    definition = required_text(inputs, "roleDefinitionId")
    match = _DEFINITION.match(definition)
    if match is None:
        raise ValidationError(
            f"roleDefinitionId {definition!r} must be /subscriptions/{{id}}/providers/Microsoft.Authorization"
            "/roleDefinitions/{guid}",
            "roleDefinitionId",
        )
    role = match[1].lower()
    if role not in ROLES:
        raise RoleDefinitionDoesNotExistError(f"the role {role!r} does not exist", "roleDefinitionId")
    return role


def _require_principal(state: State, principal_id: str, given: str) -> None:
    actual = principal_type(state, principal_id)
    if actual is None:
        raise PrincipalNotFoundError(
            f"principal {principal_id!r} does not exist in the tenant {state.tenant_id}",
            "principalId",
        )
    if given != actual:
        raise UnmatchedPrincipalTypeError(
            f"principal {principal_id!r} is a {actual}, not a {given}; set principalType to {actual}",
            "principalType",
        )


TYPE = ResourceType(
    token=ROLE_ASSIGNMENT,
    shape=Shape(
        "principalId roleDefinitionId scope",
        "condition conditionVersion delegatedManagedIdentityResourceId description principalType roleAssignmentName",
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
)


def _get(state: State, args: Properties) -> Properties:
    scope, name = required_text(args, "scope"), required_text(args, "roleAssignmentName")
    resource_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    found = state.find(resource_id)
    if found is None:
        raise ResourceNotFoundError("role assignment", resource_id, "roleAssignmentName")
    return {"id": found.id, **found.outputs}


GET = Function("azure-native:authorization:getRoleAssignment", _get)
