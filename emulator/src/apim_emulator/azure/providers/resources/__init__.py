"""Resource groups, generic resources and template deployments (Microsoft.Resources)."""

RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
"""Resource groups."""
RESOURCE = "azure-native:resources:Resource"
"""Resources of any type, given with their properties as Azure Resource Manager takes them."""
DEPLOYMENT = "azure-native:resources:Deployment"
"""Template deployments."""
