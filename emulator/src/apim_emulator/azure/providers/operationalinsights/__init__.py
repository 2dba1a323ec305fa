"""Log Analytics workspaces and their tables (Microsoft.OperationalInsights)."""

WORKSPACE = "azure-native:operationalinsights:Workspace"
TABLE = "azure-native:operationalinsights:Table"

PATH = "Microsoft.OperationalInsights/workspaces"
"""ARM type of a workspace."""
