"""Policies of operations."""

from apim_emulator.azure.providers.apimanagement import OPERATION_POLICY
from apim_emulator.azure.providers.apimanagement.policy import policy_type

TYPE = policy_type(token=OPERATION_POLICY, path="/apis/operations", names="apiId operationId")
