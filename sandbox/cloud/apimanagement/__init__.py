"""Azure API Management."""

from sandbox.cloud.apimanagement import apis, backends, credentials, policies, services
from sandbox.cloud.apimanagement.credentials import due, settle
from sandbox.cloud.apimanagement.gateway import gateways

__all__ = ["INVOKES", "TYPES", "due", "gateways", "settle"]

TYPES = (*services.TYPES, *apis.TYPES, *credentials.TYPES, *backends.TYPES, *policies.TYPES)
INVOKES = {**services.INVOKES, **apis.INVOKES}
