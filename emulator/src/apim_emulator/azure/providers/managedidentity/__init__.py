"""Managed identities (Microsoft.ManagedIdentity)."""

USER_ASSIGNED_IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"

PATH = "Microsoft.ManagedIdentity/userAssignedIdentities"
"""ARM type of a user-assigned identity."""
