"""The options of a deployment, each written once, with the rules that apply to them.

One frozen dataclass is the shape of a stack config entry (`settings` validates it), the Python API of the components
and, through the component host, a type in their schema. A rule is a pure function that yields what is wrong; stack
config and the components call the same rules. This package imports only the standard library, `policies` and
`definitions`. It does not postpone annotations, since the component host reads these classes at run time.
"""

from definitions import Surface
from options.alerts import AlertOptions, TokenQuota
from options.api import API_VERSION, ApiOptions
from options.auth import AuthMode, BackendAuth
from options.breaker import BreakerOptions
from options.cache import CacheOptions, ExistingRedis, RedisAccessKey, RedisOptions, VaryBy
from options.checks import mistakes_in
from options.entra import AppRoleAssignmentOptions, EntraOptions, ExistingApplication
from options.existing import ExistingResource
from options.gateway import (
    SYSTEM_ASSIGNED,
    USER_ASSIGNED,
    AdditionalLocationOptions,
    GatewayOptions,
    GatewaySku,
    HostnameOptions,
)
from options.identity_providers import IdentityProviderOptions
from options.jwt import JwtOptions
from options.key import AccountKey, KeyDelivery, KeyOptions, KeyRotation, KeySource, KeyVaultOptions
from options.limits import LimitOptions, LimitPer, QuotaPeriod, TokenPolicies
from options.metrics import MetricsOptions, MetricSource
from options.mistakes import Mistake, Warn
from options.models import ModelOptions
from options.network import (
    ExistingDnsZones,
    ExistingNetwork,
    GatewayNetwork,
    InboundEndpointOptions,
    NetworkMode,
    NetworkOptions,
)
from options.observability import (
    AppInsightsOptions,
    ExistingComponent,
    LogAnalyticsOptions,
    ObservabilityOptions,
    PromptOptions,
)
from options.openai import (
    AccountKind,
    AccountOptions,
    DeploymentOptions,
    ExistingAccount,
    OpenAIOptions,
    VersionUpgrade,
)
from options.policy import PolicyOptions
from options.prices import PriceOptions
from options.retry import RetryOptions
from options.safety import ExistingSafetyAccount, SafetyAccountOptions, SafetyOptions, SafetyWindowOptions
from options.teams import OwnerOptions, OwnerType, TeamKeysOptions, TeamOptions

__all__ = [
    "API_VERSION",
    "SYSTEM_ASSIGNED",
    "USER_ASSIGNED",
    "AccountKey",
    "AccountKind",
    "AccountOptions",
    "AdditionalLocationOptions",
    "AlertOptions",
    "ApiOptions",
    "AppInsightsOptions",
    "AppRoleAssignmentOptions",
    "AuthMode",
    "BackendAuth",
    "BreakerOptions",
    "CacheOptions",
    "DeploymentOptions",
    "EntraOptions",
    "ExistingAccount",
    "ExistingApplication",
    "ExistingComponent",
    "ExistingDnsZones",
    "ExistingNetwork",
    "ExistingRedis",
    "ExistingResource",
    "ExistingSafetyAccount",
    "GatewayNetwork",
    "GatewayOptions",
    "GatewaySku",
    "HostnameOptions",
    "IdentityProviderOptions",
    "InboundEndpointOptions",
    "JwtOptions",
    "KeyDelivery",
    "KeyOptions",
    "KeyRotation",
    "KeySource",
    "KeyVaultOptions",
    "LimitOptions",
    "LimitPer",
    "LogAnalyticsOptions",
    "MetricSource",
    "MetricsOptions",
    "Mistake",
    "ModelOptions",
    "NetworkMode",
    "NetworkOptions",
    "ObservabilityOptions",
    "OpenAIOptions",
    "OwnerOptions",
    "OwnerType",
    "PolicyOptions",
    "PriceOptions",
    "PromptOptions",
    "QuotaPeriod",
    "RedisAccessKey",
    "RedisOptions",
    "RetryOptions",
    "SafetyAccountOptions",
    "SafetyOptions",
    "SafetyWindowOptions",
    "Surface",
    "TeamKeysOptions",
    "TeamOptions",
    "TokenPolicies",
    "TokenQuota",
    "VaryBy",
    "VersionUpgrade",
    "Warn",
    "mistakes_in",
]
