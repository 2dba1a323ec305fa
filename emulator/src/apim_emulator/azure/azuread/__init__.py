"""App registrations, service principals and app roles (Microsoft Entra ID, by Microsoft Graph)."""

from apim_emulator.azure.azuread import access, registrations
from apim_emulator.azure.azuread.directory import INVOKES, add_caller, add_user, applications, users

__all__ = ["INVOKES", "TYPES", "add_caller", "add_user", "applications", "users"]

TYPES = (*registrations.TYPES, *access.TYPES)
