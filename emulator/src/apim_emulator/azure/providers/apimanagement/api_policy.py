"""Policies of APIs."""

from apim_emulator.azure.providers.apimanagement import API_POLICY
from apim_emulator.azure.providers.apimanagement.policy import policy_type

TYPE = policy_type(token=API_POLICY, path="/apis", names="apiId")
