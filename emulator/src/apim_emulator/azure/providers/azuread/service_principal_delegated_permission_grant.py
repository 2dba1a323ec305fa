"""Consent to scopes, for one user or for all."""

from dataclasses import replace

from apim_emulator.azure.providers.authorization.data_plane import principal_type
from apim_emulator.azure.providers.azuread import DELEGATED_GRANT
from apim_emulator.azure.providers.azuread.exceptions import ObjectNotFoundError
from apim_emulator.azure.providers.azuread.ownership import require_administrator
from apim_emulator.azure.resource_types import ResourceType, Shape, always, required_text
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, _logical_name: str, inputs: Properties) -> Resource:
    """Consent to scopes for one user or for all, which takes an administrator ("Create oAuth2PermissionGrant")."""
    names = ("servicePrincipalObjectId", "resourceServicePrincipalObjectId")
    for name in names:
        if state.find(f"/servicePrincipals/{required_text(inputs, name)}") is None:
            raise ObjectNotFoundError("service principal", inputs[name], name)
    user = inputs.get("userObjectId")
    if user is not None and principal_type(state, user) != "User":
        raise ObjectNotFoundError("user", user, "userObjectId")
    require_administrator(state, "claimValues")
    key = [*(inputs[name] for name in names), user or ""]
    return Resource(
        id=f"/oauth2PermissionGrants/{state.fresh_guid('grant', *key)}",
        token=DELEGATED_GRANT,
        inputs=inputs,
        outputs=dict(inputs),
    )


def _update(state: State, grant: Resource, inputs: Properties) -> Resource:
    require_administrator(state, "claimValues")
    return replace(grant, inputs=inputs, outputs=dict(inputs))


TYPE = ResourceType(
    token=DELEGATED_GRANT,
    shape=Shape("claimValues resourceServicePrincipalObjectId servicePrincipalObjectId", "userObjectId"),
    create=_create,
    update=_update,
    immutable=dict.fromkeys(("resourceServicePrincipalObjectId", "servicePrincipalObjectId", "userObjectId"), always),
    on_delete=lambda state, grant: require_administrator(state, grant.id),
)
