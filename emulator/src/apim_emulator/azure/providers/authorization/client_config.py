"""Who deploys, and to which subscription."""

from apim_emulator.azure.resource_types import Function
from apim_emulator.azure.state import Properties, State


def _client_config(state: State, _args: Properties) -> Properties:
    return {
        "clientId": state.deployer_client_id,
        "objectId": state.deployer_object_id,
        "subscriptionId": state.subscription_id,
        "tenantId": state.tenant_id,
    }


GET = Function("azure-native:authorization:getClientConfig", _client_config)
