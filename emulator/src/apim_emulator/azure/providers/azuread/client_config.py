"""Who deploys."""

from apim_emulator.azure.resource_types import Function
from apim_emulator.azure.state import Properties, State


def _client_config(state: State, _args: Properties) -> Properties:
    object_id = state.deployer_object_id
    return {
        "id": f"{state.tenant_id}-{state.deployer_client_id}-{object_id}",
        "clientId": state.deployer_client_id,
        "objectId": object_id,
        "tenantId": state.tenant_id,
    }


GET = Function("azuread:index/getClientConfig:getClientConfig", _client_config)
