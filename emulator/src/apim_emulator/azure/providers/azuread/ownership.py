"""Who may change what in the directory: owners, and the roles of those who deploy.

Sources: "What are the default user permissions in Microsoft Entra ID?" (what owners may do), Microsoft Graph's pages on
creating service principals, adding owners and granting app roles, and the provider's `application_resource.go` and
`service_principal_resource.go` (terraform-provider-azuread), which make the caller an owner while they create.
"""

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.providers.authorization.data_plane import principal_type
from apim_emulator.azure.providers.azuread.exceptions import (
    AuthorizationRequestDeniedError,
    ReferencedObjectNotFoundError,
)
from apim_emulator.azure.state import Properties, Resource, State


def require_owner(state: State, *objects: Resource) -> None:
    """Refuse a deployer who is no owner of each of the objects and no administrator."""
    for found in objects:
        if state.deployer is not Deployer.ADMINISTRATOR and state.deployer_object_id not in owners(found):
            raise AuthorizationRequestDeniedError(found.id)


def require_role_manager(state: State, resource: Resource, kind: str) -> None:
    """Refuse a deployer who may not give or take an app role of `resource` from a principal of a `kind`.

    An owner of the resource's service principal may for users and groups; for service principals, whose app roles are
    application permissions, it takes AppRoleAssignment.ReadWrite.All or Cloud Application Administrator.
    """
    if state.deployer is Deployer.ADMINISTRATOR:
        return
    if kind == "ServicePrincipal":
        raise AuthorizationRequestDeniedError(resource.id)
    require_owner(state, resource)


def require_administrator(state: State, target: str) -> None:
    """Refuse everybody but an administrator."""
    if state.deployer is not Deployer.ADMINISTRATOR:
        raise AuthorizationRequestDeniedError(target)


def owners(resource: Resource) -> list[str]:
    """Object IDs of the owners of an application or a service principal."""
    return list(resource.outputs.get("owners") or ())


def new_owners(state: State, inputs: Properties, before: Resource | None = None) -> list[str]:
    """Owners once a request is through: those that it names, and nobody else.

    A new object belongs to its creator as well until the end of the creation: the provider then removes it unless it
    is named. Refuses owners that do not exist, and those that a pipeline adds beside itself: Microsoft Graph's "Add
    owner" wants more than Application.ReadWrite.OwnedBy for them. Object IDs compare without regard to case.
    """
    wanted = list(dict.fromkeys(str(owner).lower() for owner in inputs.get("owners") or ()))
    known = owners(before) if before else [state.deployer_object_id]
    for owner in wanted:
        if principal_type(state, owner) is None:
            raise ReferencedObjectNotFoundError(owner, "owners")
        if owner not in known and state.deployer is Deployer.PIPELINE:
            raise AuthorizationRequestDeniedError("owners")
    return wanted
