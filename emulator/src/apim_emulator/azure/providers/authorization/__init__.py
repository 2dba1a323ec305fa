"""Azure RBAC (Microsoft.Authorization)."""

ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
