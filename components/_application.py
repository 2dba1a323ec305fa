"""The app registration that represents an API in Microsoft Entra ID."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pulumi
import pulumi_azuread as azuread

from components._names import display_text
from options import EntraOptions, ExistingApplication

_NAME_OF_APPLICATION, _NAME, _DESCRIPTION = 120, 100, 1000
"""Most characters of names and descriptions that people see, as in the portal (inferred)."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://learn.microsoft.com/entra/identity-platform/app-roles")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiApplication:
    """What the gateway and its callers need to know about the registration."""

    client_id: pulumi.Output[str]
    tenant_id: pulumi.Output[str]
    audiences: pulumi.Output[list[str]]
    scopes: pulumi.Output[list[str]]
    object_id: pulumi.Output[str] | None = None
    """Object ID of its service principal. None: it has to be looked up, as somebody else owns it."""


def permission_id(kind: str, value: str) -> str:
    """Return the ID of an app role or scope; it depends only on the value, so reordering a list replaces no grant."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{value}"))


def register_application(
    name: str, entra: EntraOptions, *, display_name: pulumi.Input[str], parent: pulumi.Resource
) -> ApiApplication:
    """Create a registration that issues v2 tokens, with its service principal, roles, scopes and grants."""
    owners, ignored = _ownership(name, entra, parent)
    application = azuread.Application(
        f"{name}-application",
        display_name=display_text(display_name, limit=_NAME_OF_APPLICATION),
        owners=owners,
        sign_in_audience="AzureADMyOrg",
        prevent_duplicate_names=False,
        api={
            "requested_access_token_version": 2,
            "oauth2_permission_scopes": [
                {
                    "id": permission_id("scope", scope),
                    "value": scope,
                    "type": "User",
                    "enabled": True,
                    "admin_consent_display_name": display_text(
                        display_name, "Call ", f" for users: {scope}", limit=_NAME
                    ),
                    "admin_consent_description": display_text(
                        display_name,
                        "Lets the application call ",
                        f" on behalf of the signed-in user, with the scope {scope}.",
                        limit=_DESCRIPTION,
                    ),
                    "user_consent_display_name": display_text(display_name, "Call ", f" for you: {scope}", limit=_NAME),
                    "user_consent_description": display_text(
                        display_name,
                        "Lets the application call ",
                        f" on your behalf, with the scope {scope}.",
                        limit=_DESCRIPTION,
                    ),
                }
                for scope in entra.scopes
            ],
        },
        app_roles=[
            {
                "id": permission_id("role", role),
                "value": role,
                "display_name": role,
                "description": display_text(
                    display_name, "Lets its holder call ", f" with the role {role}.", limit=_DESCRIPTION
                ),
                "allowed_member_types": ["Application", "User"],
                "enabled": True,
            }
            for role in entra.roles
        ],
        # The URI contains the client ID, so it is a separate resource; without this, the two would undo each other.
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["identifierUris", *ignored]),
    )
    uri = azuread.ApplicationIdentifierUri(
        f"{name}-application-uri",
        application_id=application.id,
        identifier_uri=pulumi.Output.concat("api://", application.client_id),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    principal = azuread.ServicePrincipal(
        f"{name}-service-principal",
        client_id=application.client_id,
        app_role_assignment_required=entra.assignment_required,
        owners=owners,
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=ignored),
    )
    for client_id in entra.pre_authorized_client_ids:
        azuread.ApplicationPreAuthorized(
            f"{name}-pre-authorized-{client_id}",
            application_id=application.id,
            authorized_client_id=client_id,
            permission_ids=[permission_id("scope", scope) for scope in entra.scopes],
            opts=pulumi.ResourceOptions(parent=parent),
        )
    for assignment in entra.role_assignments:
        role = assignment.role
        assign_app_role(
            f"{name}-{role}-{assignment.principal_id}",
            registered_role(role, principal.object_id),
            assignment.principal_id,
            parent=parent,
        )
    return ApiApplication(
        client_id=application.client_id,
        tenant_id=_login_tenant(parent),
        audiences=application.client_id.apply(lambda client_id: [client_id]),
        scopes=_scopes(uri.identifier_uri, entra),
        object_id=principal.object_id,
    )


def use_existing_application(
    name: str, entra: EntraOptions, existing: ExistingApplication, *, parent: pulumi.Resource
) -> ApiApplication:
    """Use a registration that somebody else owns, and assign its roles to clients as requested."""
    for assignment in entra.role_assignments:
        role = assignment.role
        assign_app_role(
            f"{name}-{role}-{assignment.principal_id}",
            existing_role(role, client_id=existing.client_id, parent=parent),
            assignment.principal_id,
            parent=parent,
        )
    uris = [audience for audience in existing.audiences if "://" in audience]
    return ApiApplication(
        client_id=pulumi.Output.from_input(existing.client_id),
        tenant_id=_login_tenant(parent) if entra.tenant_id is None else pulumi.Output.from_input(entra.tenant_id),
        audiences=pulumi.Output.from_input(existing.audiences),
        scopes=_scopes(uris[0] if uris else f"api://{existing.client_id}", entra),
    )


class AppRole(NamedTuple):
    """An app role of a registration."""

    id: pulumi.Input[str]
    resource_object_id: pulumi.Input[str]
    """Object ID of the registration's service principal."""


def registered_role(role: str, object_id: pulumi.Input[str]) -> AppRole:
    """Return an app role of a registration that `register_application` made, by the object ID of its principal."""
    return AppRole(permission_id("role", role), object_id)


def look_up_principal(
    *,
    client_id: pulumi.Input[str] | None = None,
    display_name: pulumi.Input[str] | None = None,
    parent: pulumi.Resource,
) -> pulumi.Output[azuread.GetServicePrincipalResult]:
    """Look up the service principal of a registration that somebody else owns, by client ID or display name.

    The provider refuses a display name that several of them have.
    """
    found: pulumi.Output[azuread.GetServicePrincipalResult] = azuread.get_service_principal_output(
        client_id=client_id, display_name=display_name, opts=pulumi.InvokeOutputOptions(parent=parent)
    )
    return found


def existing_role(role: str, *, client_id: pulumi.Input[str], parent: pulumi.Resource) -> AppRole:
    """Look up an app role of a registration that somebody else owns.

    Raises, in its outputs:
        pulumi.RunError: The registration has no such role.

    """
    return role_of(look_up_principal(client_id=client_id, parent=parent), role)


def role_of(principal: pulumi.Output[azuread.GetServicePrincipalResult], role: str) -> AppRole:
    """Return an app role of a service principal that was looked up.

    Raises, in its outputs:
        pulumi.RunError: It has no such role.

    """
    role_id = pulumi.Output.all(principal.client_id, principal.app_role_ids).apply(
        lambda known: _role_id(known[0], role, known[1])
    )
    return AppRole(role_id, principal.object_id)


def assign_app_role(name: str, role: AppRole, principal_id: pulumi.Input[str], *, parent: pulumi.Resource) -> None:
    """Give an app role to a user, a group or a service principal, by object ID."""
    azuread.AppRoleAssignment(
        name,
        app_role_id=role.id,
        principal_object_id=principal_id,
        resource_object_id=role.resource_object_id,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _ownership(name: str, entra: EntraOptions, parent: pulumi.Resource) -> tuple[list[str], list[str]]:
    """Return the owners of the registration and its service principal, and the `ignore_changes` for them.

    The deployer that creates them must be an owner: otherwise the provider removes its ownership after creation, and a
    deployer who is not an administrator can no longer change them. Another principal may deploy next. So the owners of
    existing resources follow the list alone, and only while a principal in the list deploys: otherwise each deployer
    would remove the previous one, or fail to make itself an owner.
    """
    listed = [owner.lower() for owner in entra.owners]
    # Called at once, since `ignore_changes` does not accept an output.
    deployer = azuread.get_client_config(opts=pulumi.InvokeOptions(parent=parent)).object_id.lower()
    if deployer in listed:
        return listed, []
    if listed:
        pulumi.log.warn(
            f"entra.owners of {name} does not include the deployer, {deployer}: it becomes an owner of an app "
            "registration that it creates, and the owners of an existing one stay as they are; to change those, "
            "include the deployer",
            parent,
        )
    return [deployer, *listed], ["owners"]


def _login_tenant(parent: pulumi.Resource) -> pulumi.Output[str]:
    return azuread.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=parent)).tenant_id


def _role_id(client_id: str, role: str, role_ids: Mapping[str, str]) -> str:
    if role not in role_ids:
        known = ", ".join(sorted(role_ids)) or "none"
        raise pulumi.RunError(
            f"application {client_id} has no role {role}; it has {known}; ask its owner to define the role, or name "
            "one of those"
        )
    return role_ids[role]


def _scopes(uri: pulumi.Input[str], entra: EntraOptions) -> pulumi.Output[list[str]]:
    names = (*entra.scopes, ".default")
    return pulumi.Output.from_input(uri).apply(lambda known: [f"{known}/{name}" for name in names])
