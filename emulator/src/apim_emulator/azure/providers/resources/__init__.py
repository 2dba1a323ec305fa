"""Resource groups and template deployments (Microsoft.Resources)."""

RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
DEPLOYMENT = "azure-native:resources:Deployment"
"""Template deployments."""
