"""Every policy: the types of this package, and where each policy of the service may stand."""

from policies.authentication_basic import AuthenticationBasic
from policies.authentication_certificate import AuthenticationCertificate
from policies.authentication_managed_identity import AuthenticationManagedIdentity
from policies.cache_lookup import CacheLookup
from policies.cache_lookup_value import CacheLookupValue
from policies.cache_remove_value import CacheRemoveValue
from policies.cache_store import CacheStore
from policies.cache_store_value import CacheStoreValue
from policies.check_header import CheckHeader
from policies.choose import Choose
from policies.cors import Cors
from policies.emit_metric import EmitMetric
from policies.emit_token_metric import AzureOpenAIEmitTokenMetric, LlmEmitTokenMetric
from policies.find_and_replace import FindAndReplace
from policies.forward_request import ForwardRequest
from policies.get_authorization_context import GetAuthorizationContext
from policies.include_fragment import IncludeFragment
from policies.ip_filter import IpFilter
from policies.limit_concurrency import LimitConcurrency
from policies.llm_content_safety import LlmContentSafety
from policies.log_to_eventhub import LogToEventHub
from policies.mock_response import MockResponse
from policies.policy import ANY_SECTION, INBOUND_ONLY, Section, TypedPolicy
from policies.proxy import Proxy
from policies.quota import Quota
from policies.quota_by_key import QuotaByKey
from policies.rate_limit import RateLimit
from policies.rate_limit_by_key import RateLimitByKey
from policies.retry import Retry
from policies.return_response import ReturnResponse
from policies.rewrite_uri import RewriteUri
from policies.semantic_cache_lookup import AzureOpenAISemanticCacheLookup, LlmSemanticCacheLookup
from policies.semantic_cache_store import AzureOpenAISemanticCacheStore, LlmSemanticCacheStore
from policies.send_request import SendOneWayRequest, SendRequest
from policies.set_backend_service import SetBackendService
from policies.set_body import SetBody
from policies.set_header import SetHeader
from policies.set_method import SetMethod
from policies.set_query_parameter import SetQueryParameter
from policies.set_status import SetStatus
from policies.set_variable import SetVariable
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit
from policies.trace import Trace
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_client_certificate import ValidateClientCertificate
from policies.validate_content import ValidateContent
from policies.validate_headers import ValidateHeaders
from policies.validate_jwt import ValidateJwt
from policies.validate_parameters import ValidateParameters
from policies.validate_status_code import ValidateStatusCode
from policies.wait import Wait

TYPES: tuple[type[TypedPolicy], ...] = (
    AuthenticationBasic,
    AuthenticationCertificate,
    AuthenticationManagedIdentity,
    AzureOpenAIEmitTokenMetric,
    AzureOpenAISemanticCacheLookup,
    AzureOpenAISemanticCacheStore,
    AzureOpenAITokenLimit,
    CacheLookup,
    CacheLookupValue,
    CacheRemoveValue,
    CacheStore,
    CacheStoreValue,
    CheckHeader,
    Choose,
    Cors,
    EmitMetric,
    FindAndReplace,
    ForwardRequest,
    GetAuthorizationContext,
    IncludeFragment,
    IpFilter,
    LimitConcurrency,
    LlmContentSafety,
    LlmEmitTokenMetric,
    LlmSemanticCacheLookup,
    LlmSemanticCacheStore,
    LlmTokenLimit,
    LogToEventHub,
    MockResponse,
    Proxy,
    Quota,
    QuotaByKey,
    RateLimit,
    RateLimitByKey,
    Retry,
    ReturnResponse,
    RewriteUri,
    SendOneWayRequest,
    SendRequest,
    SetBackendService,
    SetBody,
    SetHeader,
    SetMethod,
    SetQueryParameter,
    SetStatus,
    SetVariable,
    Trace,
    ValidateAzureAdToken,
    ValidateClientCertificate,
    ValidateContent,
    ValidateHeaders,
    ValidateJwt,
    ValidateParameters,
    ValidateStatusCode,
    Wait,
)
"""Every policy that has a type of its own."""

_INBOUND = "cross-domain validate-graphql-request validate-odata-request"
_OUTBOUND = "jsonp"
_INBOUND_OR_OUTBOUND = "redirect-content-urls"
_NOT_BACKEND = "invoke-dapr-binding publish-to-dapr send-service-bus-message xsl-transform"
_ANYWHERE = "cache-value invoke-request json-to-xml xml-to-json"
_UNTOLD = """authentication-token authentication-token-store block cosmosdb-data-source graphql-data-source
http-data-source publish-event set-request-metric-dimension-value set-url sql-data-source"""
UNTOLD = frozenset(_UNTOLD.split())
"""Policies that the schema alone knows: no page of the reference says what they do."""
SECTIONS: dict[str, frozenset[Section]] = {
    **{kind.tag: kind.sections for kind in TYPES},
    **dict.fromkeys(_INBOUND.split(), INBOUND_ONLY),
    **dict.fromkeys(_OUTBOUND.split(), frozenset({Section.OUTBOUND})),
    **dict.fromkeys(_INBOUND_OR_OUTBOUND.split(), frozenset({Section.INBOUND, Section.OUTBOUND})),
    **dict.fromkeys(_NOT_BACKEND.split(), ANY_SECTION - {Section.BACKEND}),
    **dict.fromkeys(_ANYWHERE.split(), ANY_SECTION),
    **dict.fromkeys(UNTOLD, ANY_SECTION),
}
"""Sections where each policy may stand (policy reference); of those that the schema alone knows, any."""
