"""Resource groups (Microsoft.Resources)."""

RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
