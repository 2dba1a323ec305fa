"""App registrations, service principals and app roles (Microsoft Entra ID, by Microsoft Graph)."""

from sandbox.cloud.azuread import access, registrations
from sandbox.cloud.azuread.directory import INVOKES, add_caller, applications

__all__ = ["INVOKES", "TYPES", "add_caller", "applications"]

TYPES = (*registrations.TYPES, *access.TYPES)
