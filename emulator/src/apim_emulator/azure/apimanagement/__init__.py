"""Azure API Management."""

from apim_emulator.azure.apimanagement import apis, backends, credentials, policies, services
from apim_emulator.azure.apimanagement.credentials import due, settle
from apim_emulator.azure.apimanagement.gateway import gateways

__all__ = ["INVOKES", "TYPES", "due", "gateways", "settle"]

TYPES = (*services.TYPES, *apis.TYPES, *credentials.TYPES, *backends.TYPES, *policies.TYPES)
INVOKES = {**services.INVOKES, **apis.INVOKES}
