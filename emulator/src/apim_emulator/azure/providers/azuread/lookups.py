"""Functions that look things up in the home tenant."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.azuread import APPLICATION, SERVICE_PRINCIPAL
from apim_emulator.azure.providers.azuread.exceptions import ObjectNotFoundError
from apim_emulator.azure.providers.azuread.references import identifier_uris
from apim_emulator.azure.resource_types import Function
from apim_emulator.azure.state import Properties, State


def _find(function: str, token: str, keys: tuple[str, ...]) -> Function:
    """Return the function that finds an object of the home tenant by whichever of `keys` is given."""

    def find(state: State, args: Properties) -> Properties:
        given = {key: args[key] for key in (*keys, "identifierUri") if args.get(key) is not None}
        if not given:
            raise ValidationError(f"one of {', '.join(keys)} is required", keys[0])
        uri = given.pop("identifierUri", None)
        for resource in state.of(token):
            matches = all(str(resource.outputs[key]).lower() == str(value).lower() for key, value in given.items())
            if (
                matches
                and resource.private["tenant_id"] == state.tenant_id
                and (uri is None or uri in identifier_uris(state, resource))
            ):
                return {"id": resource.id, **resource.outputs}
        raise ObjectNotFoundError(
            token.rsplit(":", 1)[1], ", ".join(map(str, [*given.values(), uri or ""])).strip(", "), keys[0]
        )

    return Function(function, find)


def _client_config(state: State, _args: Properties) -> Properties:
    object_id = state.deployer_object_id
    return {
        "id": f"{state.tenant_id}-{state.deployer_client_id}-{object_id}",
        "clientId": state.deployer_client_id,
        "objectId": object_id,
        "tenantId": state.tenant_id,
    }


_NAMES = ("clientId", "objectId", "displayName")

GET_APPLICATION = _find("azuread:index/getApplication:getApplication", APPLICATION, _NAMES)
GET_SERVICE_PRINCIPAL = _find("azuread:index/getServicePrincipal:getServicePrincipal", SERVICE_PRINCIPAL, _NAMES)
GET_CLIENT_CONFIG = Function("azuread:index/getClientConfig:getClientConfig", _client_config)
