"""Pulumi components that put Azure OpenAI behind API Management."""

from components._backends import OpenAIAccount
from components._endpoints import PrivateEndpoints
from components.alerts import Alerts, AlertsArgs
from components.api_client import ApiClient, ApiClientArgs
from components.api_gateway import ApiGateway, ApiGatewayArgs, GatewayIdentity
from components.content_safety import ContentSafety, ContentSafetyArgs
from components.entra_protected_api import EntraProtectedApi, EntraProtectedApiArgs
from components.key_auth_api import KeyAuthApi, KeyAuthApiArgs
from components.managed_identity_api import ManagedIdentityApi, ManagedIdentityApiArgs
from components.observability import Observability, ObservabilityArgs
from components.openai_backend import OpenAIBackend, OpenAIBackendArgs
from components.private_network import PrivateNetwork, PrivateNetworkArgs
from components.semantic_cache import SemanticCache, SemanticCacheArgs
from components.team import Team, TeamApi, TeamArgs
from components.workbook import Workbook, WorkbookArgs

__version__ = "0.3.0"

__all__ = [
    "Alerts",
    "AlertsArgs",
    "ApiClient",
    "ApiClientArgs",
    "ApiGateway",
    "ApiGatewayArgs",
    "ContentSafety",
    "ContentSafetyArgs",
    "EntraProtectedApi",
    "EntraProtectedApiArgs",
    "GatewayIdentity",
    "KeyAuthApi",
    "KeyAuthApiArgs",
    "ManagedIdentityApi",
    "ManagedIdentityApiArgs",
    "Observability",
    "ObservabilityArgs",
    "OpenAIAccount",
    "OpenAIBackend",
    "OpenAIBackendArgs",
    "PrivateEndpoints",
    "PrivateNetwork",
    "PrivateNetworkArgs",
    "SemanticCache",
    "SemanticCacheArgs",
    "Team",
    "TeamApi",
    "TeamArgs",
    "Workbook",
    "WorkbookArgs",
]
