"""Named values: where credentials for what is behind the gateway are kept."""

from contextlib import suppress
from dataclasses import replace

from apim_emulator.azure.apimanagement.documents import named_values
from apim_emulator.azure.apimanagement.references import refuse_while_used, service_id
from apim_emulator.azure.apimanagement.secrets import readable_secret
from apim_emulator.azure.apimanagement.tokens import IDENTIFIER, NAMED_VALUE, PATH
from apim_emulator.azure.arm import arm_type
from apim_emulator.azure.errors import CloudError, invalid
from apim_emulator.azure.keyvault import has_version
from apim_emulator.azure.managedidentity import identities
from apim_emulator.azure.shape import Shape, Text
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.model import ManagedIdentity

_POLL = 4 * 3600.0
"""Seconds within which a named value follows its secret, and after which it does here."""


def due(state: State) -> tuple[Resource, ...]:
    """Named values whose Key Vault secret is to be read again.

    The service does so every four hours, and not at all for an identifier with a version ("Use named values in Azure
    API Management policies": Key Vault secrets; ARM: `KeyVaultContractProperties.secretIdentifier`).
    """
    return tuple(
        named_value
        for named_value in state.of(NAMED_VALUE)
        if "read" in named_value.private
        and not has_version(named_value.inputs["keyVault"]["secretIdentifier"])
        and state.now - named_value.private["read"] >= _POLL
    )


def settle(state: State) -> None:
    """Read the secrets that are due; the service keeps the last value it could read while that fails (inferred)."""
    for named_value in due(state):
        private = dict(named_value.private)
        private["read"] += (state.now - private["read"]) // _POLL * _POLL
        with suppress(CloudError):
            private["value"] = _read_secret(state, named_value, named_value.inputs["keyVault"])
        state.put(replace(named_value, private=private))


def _read_secret(state: State, named_value: Resource, reference: Properties) -> str:
    identifier = reference.get("secretIdentifier")
    if not identifier:
        raise invalid("keyVault.secretIdentifier is missing; it is required", "keyVault.secretIdentifier")
    identity = _reader(state, named_value, reference.get("identityClientId"))
    secret, version = readable_secret(state, identifier, identity, "keyVault.secretIdentifier")
    if not secret.outputs["properties"]["attributes"]["enabled"]:
        raise invalid(f"the secret {identifier} is disabled", "keyVault.secretIdentifier")
    return str(secret.private["versions"][version])


def _reader(state: State, named_value: Resource, client_id: str | None) -> ManagedIdentity:
    """Identity with which the service reads a secret: the one named, else the system-assigned one."""
    service = state.find(service_id(named_value))
    for identity in identities(state, service) if service else ():
        if identity.system_assigned if client_id is None else identity.client_id == client_id:
            return identity
    raise invalid(
        "the service has no system-assigned identity to read the Key Vault secret with"
        if client_id is None
        else f"Can not find Managed Identity with provided IdentityClientId : {client_id}",
        "keyVault.identityClientId",
    )


def _complete_named_value(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    display_name, value, reference = inputs["displayName"], inputs.get("value"), inputs.get("keyVault")
    if any(other.outputs["displayName"] == display_name for other in state.others(resource, under=parent.id)):
        raise invalid(f"a named value with the displayName {display_name!r} already exists", "displayName")
    before = state.find(resource.id)
    if before is not None and before.outputs["displayName"] != display_name:
        refuse_while_used(state, before, "renamed")
    if (value is None) == (reference is None):
        raise invalid("exactly one of value and keyVault is required", "value")
    if reference is not None:
        if inputs.get("secret") is not True:
            raise invalid("secret must be true with keyVault", "secret")
        resource.private |= {"value": _read_secret(state, resource, reference), "read": state.now}
        return
    resource.private.pop("read", None)
    if not isinstance(value, str) or not 1 <= len(value) <= 4096:
        raise invalid("value must be a text of 1 to 4096 characters", "value")
    if named_values(value):
        raise invalid("value refers to another named value; they cannot be nested", "value")
    resource.private["value"] = value


TYPES = (
    arm_type(
        NAMED_VALUE,
        f"{PATH}/namedValues",
        "serviceName namedValueId",
        Shape(
            "displayName resourceGroupName serviceName",
            "keyVault namedValueId secret tags value",
            displayName=Text(r"^[A-Za-z0-9-._]{1,256}$"),
            keyVault=Shape("", "identityClientId secretIdentifier"),
        ),
        _complete_named_value,
        pattern=IDENTIFIER,
        defaults={"secret": False},
        write_only=lambda inputs: ("value",) if inputs.get("secret") else (),
        on_delete=refuse_while_used,
    ),
)
