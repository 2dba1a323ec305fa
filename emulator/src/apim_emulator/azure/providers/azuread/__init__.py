"""App registrations, service principals and app roles (Microsoft Entra ID, by Microsoft Graph)."""

APPLICATION = "azuread:index/application:Application"
IDENTIFIER_URI = "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri"
PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"  # noqa: S105 - a type token
PRE_AUTHORIZED = "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized"
SERVICE_PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
DELEGATED_GRANT = "azuread:index/servicePrincipalDelegatedPermissionGrant:ServicePrincipalDelegatedPermissionGrant"
APP_ROLE_ASSIGNMENT = "azuread:index/appRoleAssignment:AppRoleAssignment"

USER = "azuread:index/user:User"
GROUP = "azuread:index/group:Group"
"""Principals whose resources are otherwise not modelled."""
