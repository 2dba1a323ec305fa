"""App registrations, changed as a tenant administrator would."""

import uuid
from collections.abc import Iterable

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.model import Application


def find_application(cloud: Cloud, audience: str) -> Application | None:
    """Return the application with this audience: its client ID or one of its identifier URIs."""
    for application in cloud.applications():
        if audience in (application.client_id, *application.identifier_uris):
            return application
    return None


def create_application(cloud: Cloud, display_name: str, roles: Iterable[str]) -> Application:
    """Create an app registration for v2 tokens, with its service principal."""
    cloud = cloud.acting_as(Deployer.ADMINISTRATOR)
    application_id, application = cloud.create(
        "azuread:index/application:Application",
        display_name,
        {
            "displayName": display_name,
            "api": {"requestedAccessTokenVersion": 2},
            "appRoles": [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, role)),
                    "value": role,
                    "displayName": role,
                    "description": role,
                    "allowedMemberTypes": ["Application"],
                }
                for role in roles
            ],
        },
    )
    client_id = application["clientId"]
    cloud.create("azuread:index/servicePrincipal:ServicePrincipal", display_name, {"clientId": client_id})
    uri = {"applicationId": application_id, "identifierUri": f"api://{client_id}"}
    cloud.create("azuread:index/applicationIdentifierUri:ApplicationIdentifierUri", display_name, uri)
    return next(found for found in cloud.applications() if found.client_id == client_id)


def consent(cloud: Cloud, application: Application, client: Application) -> None:
    """Grant a client all scopes of an application, for all users."""
    cloud.acting_as(Deployer.ADMINISTRATOR).create(
        "azuread:index/servicePrincipalDelegatedPermissionGrant:ServicePrincipalDelegatedPermissionGrant",
        f"{client.display_name}-{application.display_name}",
        {
            "resourceServicePrincipalObjectId": application.service_principal_id,
            "servicePrincipalObjectId": client.service_principal_id,
            "claimValues": sorted(application.scopes),
        },
    )


def assign_role(cloud: Cloud, application: Application, client: Application, role: str) -> None:
    """Assign an app role of an application to a client. Raises `KeyError` if the application does not define it."""
    cloud = cloud.acting_as(Deployer.ADMINISTRATOR)
    role_ids = {value: role_id for role_id, value in application.app_roles.items()}
    cloud.create(
        "azuread:index/appRoleAssignment:AppRoleAssignment",
        f"{client.display_name}-{role}",
        {
            "resourceObjectId": application.service_principal_id,
            "principalObjectId": client.service_principal_id,
            "appRoleId": role_ids[role],
        },
    )
