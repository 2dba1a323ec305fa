"""Azure role assignments ("Azure built-in roles")."""

import uuid
from collections.abc import Sequence

import pulumi
from pulumi_azure_native import authorization

from components._arm import subscription_of
from components._clashes import ROLES, report_clash

COGNITIVE_SERVICES_OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
COGNITIVE_SERVICES_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
LOG_ANALYTICS_READER = "73c42c96-874c-492b-b04d-ab87d138a893"


def assign_role(
    name: str,
    *,
    scope: pulumi.Input[str],
    principal_id: pulumi.Input[str],
    role: str,
    parent: pulumi.Resource,
    principal_type: str = authorization.PrincipalType.SERVICE_PRINCIPAL,
    former_names: Sequence[str] = (),
) -> authorization.RoleAssignment:
    """Assign a built-in role on `scope`, a resource ID, to a principal.

    The assignment's name is derived from its content, so the same assignment always has the same ID. The principal type
    is set because Azure would otherwise refuse a new identity until it has been replicated in the directory.
    `former_names` are names that the assignment had in earlier versions of this project.
    """
    role_assignment_name = pulumi.Output.all(scope=scope, principal=principal_id).apply(
        lambda value: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{value['scope']}|{value['principal']}|{role}".lower()))
    )
    assignment = authorization.RoleAssignment(
        name,
        scope=scope,
        principal_id=principal_id,
        principal_type=principal_type,
        role_definition_id=pulumi.Output.concat(
            "/subscriptions/",
            subscription_of(scope),
            f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        ),
        role_assignment_name=role_assignment_name,
        opts=pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name=old) for old in former_names]),
    )
    report_clash(
        assignment,
        "authorization:getRoleAssignment",
        {"scope": scope, "roleAssignmentName": role_assignment_name},
        kind=ROLES,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return assignment
