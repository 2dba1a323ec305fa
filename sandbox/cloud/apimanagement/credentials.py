"""Named values: where credentials for what is behind the gateway are kept."""

from dataclasses import replace

from sandbox.cloud.apimanagement.documents import named_values
from sandbox.cloud.apimanagement.references import refuse_while_used, service_id
from sandbox.cloud.apimanagement.tokens import IDENTIFIER, NAMED_VALUE, PATH
from sandbox.cloud.arm import arm_type
from sandbox.cloud.errors import CloudError, invalid
from sandbox.cloud.keyvault import may_read, secret_by_identifier
from sandbox.cloud.managedidentity import identities
from sandbox.cloud.shape import Shape, Text
from sandbox.cloud.state import Properties, Resource, State
from sandbox.model import ManagedIdentity


def settle(state: State) -> None:
    """Read all Key Vault secrets of named values again; what was read last stays while that is refused.

    The service keeps using the last value it could read (inferred), and sees a new one at once, not within hours.
    """
    for named_value in state.of(NAMED_VALUE):
        reference = named_value.inputs.get("keyVault")
        if reference:
            try:
                value = _read_secret(state, named_value, reference)
            except CloudError:
                continue
            if value != named_value.private["value"]:
                state.put(replace(named_value, private={"value": value}))


def _read_secret(state: State, named_value: Resource, reference: Properties) -> str:
    identifier = reference.get("secretIdentifier")
    if not identifier:
        raise invalid("keyVault.secretIdentifier is missing; it is required", "keyVault.secretIdentifier")
    identity = _reader(state, named_value, reference.get("identityClientId"))
    vault, secret = secret_by_identifier(state, identifier)
    if not may_read(state, vault, secret, identity.principal_id):
        raise invalid(
            f"the service's identity {identity.principal_id} may not read the secret {secret.name!r} of the vault "
            f"{vault.name!r}; assign it the role Key Vault Secrets User on the secret or the vault first",
            "keyVault.secretIdentifier",
        )
    if not secret.outputs["properties"]["attributes"]["enabled"]:
        raise invalid(f"the secret {identifier} is disabled", "keyVault.secretIdentifier")
    return str(secret.private["value"])


def _reader(state: State, named_value: Resource, client_id: str | None) -> ManagedIdentity:
    """Identity with which the service reads a secret: the one named, else the system-assigned one."""
    service = state.find(service_id(named_value))
    for identity in identities(state, service) if service else ():
        if identity.system_assigned if client_id is None else identity.client_id == client_id:
            return identity
    wanted = "system-assigned identity" if client_id is None else f"identity with the client ID {client_id}"
    raise invalid(f"the service has no {wanted} to read the Key Vault secret with", "keyVault.identityClientId")


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
        resource.private["value"] = _read_secret(state, resource, reference)
        return
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
