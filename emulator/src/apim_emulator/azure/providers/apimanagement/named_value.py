"""Named values: where credentials for what is behind the gateway are kept."""

from contextlib import suppress
from dataclasses import replace

from apim_emulator.azure.exceptions import CloudError, ValidationError
from apim_emulator.azure.providers.apimanagement import IDENTIFIER, NAMED_VALUE, PATH
from apim_emulator.azure.providers.apimanagement.key_vault_secrets import referenced_secret
from apim_emulator.azure.providers.apimanagement.policy_document import named_values
from apim_emulator.azure.providers.apimanagement.references import refuse_while_used
from apim_emulator.azure.providers.keyvault.data_plane import has_version
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_REFRESH = 4 * 3600.0
"""Seconds within which a named value follows its secret, and after which it does here."""


def _complete(state: State, resource: Resource, parent: Resource) -> None:
    inputs = resource.inputs
    display_name, value, reference = inputs["displayName"], inputs.get("value"), inputs.get("keyVault")
    if any(other.outputs["displayName"] == display_name for other in state.others(resource, under=parent.id)):
        raise ValidationError(f"a named value with the displayName {display_name!r} already exists", "displayName")
    before = state.find(resource.id)
    if before is not None and before.outputs["displayName"] != display_name:
        refuse_while_used(state, before, "renamed")
    if (value is None) == (reference is None):
        raise ValidationError("exactly one of value and keyVault is required", "value")
    if reference is not None:
        if inputs.get("secret") is not True:
            raise ValidationError("secret must be true with keyVault", "secret")
        resource.private |= {"value": referenced_secret(state, resource, reference), "read": state.now}
        return
    resource.private.pop("read", None)
    if not isinstance(value, str) or not 1 <= len(value) <= 4096:
        raise ValidationError("value must be a text of 1 to 4096 characters", "value")
    if named_values(value):
        raise ValidationError("value refers to another named value; they cannot be nested", "value")
    resource.private["value"] = value


def due_named_values(state: State) -> tuple[Resource, ...]:
    """Named values whose Key Vault secret is to be read again.

    The service does so every four hours, and not at all for an identifier with a version ("Use named values in Azure
    API Management policies": Key Vault secrets; ARM: `KeyVaultContractProperties.secretIdentifier`).
    """
    return tuple(
        named_value
        for named_value in state.of(NAMED_VALUE)
        if "read" in named_value.private
        and not has_version(named_value.inputs["keyVault"]["secretIdentifier"])
        and state.now - named_value.private["read"] >= _REFRESH
    )


def refresh_named_values(state: State) -> None:
    """Read the secrets that are due; the service keeps the last value it could read while that fails (inferred)."""
    for named_value in due_named_values(state):
        private = dict(named_value.private)
        private["read"] += (state.now - private["read"]) // _REFRESH * _REFRESH
        with suppress(CloudError):
            private["value"] = referenced_secret(state, named_value, named_value.inputs["keyVault"])
        state.put(replace(named_value, private=private))


TYPE = arm_type(
    token=NAMED_VALUE,
    path=f"{PATH}/namedValues",
    names="serviceName namedValueId",
    shape=Shape(
        "displayName resourceGroupName serviceName",
        "keyVault namedValueId secret tags value",
        displayName=Text(r"^[A-Za-z0-9-._]{1,256}$"),
        keyVault=Shape("", "identityClientId secretIdentifier"),
    ),
    complete=_complete,
    pattern=IDENTIFIER,
    defaults={"secret": False},
    write_only=lambda inputs: ("value",) if inputs.get("secret") else (),
    on_delete=refuse_while_used,
)

GET = get_function("azure-native:apimanagement:getNamedValue", f"{PATH}/namedValues", "serviceName namedValueId")
