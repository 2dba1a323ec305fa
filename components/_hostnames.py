"""Custom host names for the gateway, with certificates that the service reads from Key Vault."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import apimanagement, authorization

from components._roles import KEY_VAULT_SECRETS_USER, assign_role
from components._vaults import existing_vault
from options import HostnameOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class Hostnames:
    """What a service needs for its host names."""

    configurations: list[apimanagement.HostnameConfigurationArgsDict] = field(default_factory=list)
    """The input `hostnameConfigurations`."""
    readers: list[authorization.RoleAssignment] = field(default_factory=list)
    """Role assignments with which the identity reads the certificates; the service must be created after them."""


def hostnames(
    name: str,
    wanted: Sequence[HostnameOptions],
    *,
    principal_id: pulumi.Input[str],
    client_id: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Hostnames:
    """Let a user-assigned identity read the certificates of the wanted host names.

    The private key of a certificate is the secret of the same name in the vault; the role is assigned on that secret
    only. Several host names may share a certificate.
    """
    found = Hostnames()
    identifiers: dict[tuple[str, ...], pulumi.Output[str]] = {}
    for hostname in wanted:
        vault = hostname.vault
        place = (vault.subscription_id or "", vault.resource_group, vault.name, hostname.certificate)
        certificate = tuple(part.lower() for part in place)
        if certificate not in identifiers:
            holder = existing_vault(vault, parent)
            reader = assign_role(
                f"{name}-{vault.name}-{hostname.certificate}-reader",
                scope=pulumi.Output.concat(holder.apply(lambda found: found.id), "/secrets/", hostname.certificate),
                principal_id=principal_id,
                role=KEY_VAULT_SECRETS_USER,
                parent=parent,
            )
            found.readers.append(reader)
            uri = holder.apply(lambda found: str(found.properties.vault_uri))
            # Without a version, so that the service picks up renewals.
            identifiers[certificate] = pulumi.Output.concat(uri, "secrets/", hostname.certificate)
        found.configurations.append(
            {
                "type": "Proxy",
                "host_name": hostname.name,
                "key_vault_id": identifiers[certificate],
                "identity_client_id": client_id,
            }
        )
    return found
