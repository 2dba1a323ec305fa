"""Azure role assignments for the gateway's identity ("Azure built-in roles")."""

import uuid
from collections.abc import Sequence

import pulumi
from pulumi_azure_native import authorization

from components._arm import subscription_of
from components._clashes import ROLES, expect_none

COGNITIVE_SERVICES_OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


def assign_role(
    name: str,
    *,
    scope: pulumi.Input[str],
    principal_id: pulumi.Input[str],
    role: str,
    parent: pulumi.Resource,
    before: Sequence[str] = (),
) -> authorization.RoleAssignment:
    """Give a service principal a built-in role on `scope`, a resource ID.

    The assignment's name follows from what it says, so the same grant always has the same ID. Its type is sent
    because Azure looks a new identity up as a user otherwise and refuses it until the directory has caught up.
    `before` are names that the assignment had in earlier versions of this project.
    """
    role_assignment_name = pulumi.Output.all(scope=scope, principal=principal_id).apply(
        lambda value: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{value['scope']}|{value['principal']}|{role}".lower()))
    )
    assignment = authorization.RoleAssignment(
        name,
        scope=scope,
        principal_id=principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=pulumi.Output.concat(
            "/subscriptions/",
            subscription_of(scope),
            f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        ),
        role_assignment_name=role_assignment_name,
        opts=pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name=old) for old in before]),
    )
    expect_none(
        assignment,
        "authorization:getRoleAssignment",
        {"scope": scope, "roleAssignmentName": role_assignment_name},
        kind=ROLES,
        asking=pulumi.InvokeOutputOptions(parent=parent),
    )
    return assignment
