"""A vault's own endpoint: who may do what with a secret, and what a secret identifier names."""

import re

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.authorization.data_plane import has_role
from apim_emulator.azure.providers.authorization.roles import (
    KEY_VAULT_ADMINISTRATOR,
    KEY_VAULT_SECRETS_OFFICER,
    KEY_VAULT_SECRETS_USER,
)
from apim_emulator.azure.providers.keyvault import VAULT
from apim_emulator.azure.state import Resource, State

_WRITERS = (KEY_VAULT_SECRETS_OFFICER, KEY_VAULT_ADMINISTRATOR)

_READERS = (KEY_VAULT_SECRETS_USER, *_WRITERS)
"""Roles with data actions on secrets ("Azure role-based access control for Key Vault data plane operations").

*Contributor* and *Owner* have none: they write a secret through Azure Resource Manager, and neither read nor delete it.
"""

_IDENTIFIER = re.compile(r"^(https://[^/]+/)secrets/([^/]+)(?:/([0-9a-fA-F]{32}))?/?$")


def secret_by_identifier(state: State, identifier: str) -> tuple[Resource, Resource, str]:
    """Vault, secret and version that a secret identifier names: the newest version where it names none.

    It is written `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`.
    """
    match = _IDENTIFIER.match(identifier)
    if match is None:
        raise ValidationError(
            f"secret identifier {identifier!r} must be https://VAULT.vault.azure.net/secrets/NAME",
            "keyVault.secretIdentifier",
        )
    uri, name, version = match.groups()
    for vault in state.of(VAULT):
        if vault.outputs["properties"]["vaultUri"].lower() == uri.lower():
            found = state.find(f"{vault.id}/secrets/{name}")
            if found is not None and (version is None or version in found.private["versions"]):
                return vault, found, version or next(reversed(found.private["versions"]))
    raise ResourceNotFoundError("Key Vault secret", identifier, "keyVault.secretIdentifier")


def is_public(vault: Resource) -> bool:
    """Whether a vault answers callers that do not come through a private endpoint.

    Rules for some addresses alone (`networkAcls`) are not modelled.
    """
    return str(vault.outputs["properties"].get("publicNetworkAccess")).lower() != "disabled"


def has_version(identifier: str) -> bool:
    """Whether a secret identifier names a version, which never changes."""
    match = _IDENTIFIER.match(identifier)
    return match is not None and match[3] is not None


def may_read(state: State, vault: Resource, secret: Resource, principal_id: str) -> bool:
    """Whether a principal may get the secret, by role on it or above, or by access policy, whichever the vault uses."""
    return is_allowed(state, vault, secret, principal_id, "get")


def is_allowed(state: State, vault: Resource, secret: Resource, principal_id: str, permission: str) -> bool:
    """Whether the data plane lets a principal do with a secret what a permission of access policies is for."""
    properties = vault.outputs["properties"]
    if properties["enableRbacAuthorization"]:
        roles = _READERS if permission == "get" else _WRITERS
        return any(has_role(state, principal_id, role, secret.id) for role in roles)
    return any(
        policy["objectId"].lower() == principal_id.lower()
        and {permission, "all"} & {str(given).lower() for given in policy["permissions"].get("secrets") or ()}
        for policy in properties.get("accessPolicies") or ()
    )
