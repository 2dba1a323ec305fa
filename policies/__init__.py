"""Gateway policies: typed options that are rendered as the policy XML of Azure API Management.

Standard library only. Each field is the XML attribute of that name in kebab case; `None` omits the attribute.
"""

from policies.authentication_basic import AuthenticationBasic
from policies.authentication_certificate import AuthenticationCertificate
from policies.authentication_managed_identity import (
    BEARER_TOKEN,
    COGNITIVE_SERVICES,
    TOKEN_VARIABLE,
    AuthenticationManagedIdentity,
)
from policies.base import Base
from policies.cache_lookup import CacheLookup, DownstreamCachingType
from policies.cache_lookup_value import CacheLookupValue
from policies.cache_remove_value import CacheRemoveValue
from policies.cache_store import CacheStore
from policies.cache_store_value import CacheStoreValue
from policies.check_header import CheckHeader
from policies.choose import Choose, When
from policies.cors import Cors
from policies.documents.document import Document
from policies.emit_metric import EmitMetric
from policies.emit_token_metric import AzureOpenAIEmitTokenMetric, LlmEmitTokenMetric, TokenMetric
from policies.find_and_replace import FindAndReplace
from policies.forward_request import ForwardRequest, HttpVersion
from policies.get_authorization_context import GetAuthorizationContext, IdentityType
from policies.include_fragment import IncludeFragment
from policies.ip_filter import AddressRange, IpFilter, IpFilterAction
from policies.limit_concurrency import LimitConcurrency
from policies.llm_content_safety import HarmCategory, LlmContentSafety, SafetyCategory, SeverityLevels
from policies.log_to_eventhub import LogToEventHub
from policies.mock_response import MockResponse
from policies.proxy import Proxy
from policies.quota import Quota, QuotaApi, QuotaOperation
from policies.quota_by_key import QuotaByKey
from policies.rate_limit import RateLimit, RateLimitApi, RateLimitOperation
from policies.rate_limit_by_key import RateLimitByKey
from policies.raw_element import RawElement
from policies.retry import Retry
from policies.return_response import ReturnResponse
from policies.rewrite_uri import RewriteUri
from policies.semantic_cache_lookup import AzureOpenAISemanticCacheLookup, EmbeddingsBackendAuth, LlmSemanticCacheLookup
from policies.semantic_cache_store import AzureOpenAISemanticCacheStore, LlmSemanticCacheStore
from policies.send_request import RequestMode, SendOneWayRequest, SendRequest
from policies.set_backend_service import BACKEND_ID, ReplicaType, SetBackendService
from policies.set_body import SetBody, Template, XsiNil
from policies.set_header import NAMED_VALUE, ExistsAction, SetHeader
from policies.set_method import SetMethod
from policies.set_query_parameter import SetQueryParameter
from policies.set_status import SetStatus
from policies.set_variable import SetVariable
from policies.shared.caching_type import CachingType
from policies.shared.claims import ClaimMatch, RequiredClaim
from policies.shared.dimension import DEFAULT_DIMENSIONS, Dimension
from policies.shared.errors import PolicyError
from policies.shared.policy import Policy, Scope, Section
from policies.shared.token_validation import UNAUTHORIZED, DecryptionKey
from policies.shared.validation_action import ValidationAction
from policies.token_limit import AzureOpenAITokenLimit, LlmTokenLimit, PromptType, TokenQuotaPeriod
from policies.trace import Trace, TraceSeverity
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_client_certificate import CertificateIdentity, ValidateClientCertificate
from policies.validate_content import (
    ContentFormat,
    ContentTypeMap,
    ContentTypeMapping,
    ValidateContent,
    ValidatedContent,
)
from policies.validate_headers import ValidateHeaders
from policies.validate_jwt import IssuerSigningKey, ValidateJwt
from policies.validate_parameters import MessageParameters, PathParameters, ValidateParameters
from policies.validate_status_code import ValidateStatusCode
from policies.wait import Wait, WaitFor
from policies.xml_to_json import JsonKind, XmlBodies, XmlToJson

__all__ = [
    "BACKEND_ID",
    "BEARER_TOKEN",
    "COGNITIVE_SERVICES",
    "DEFAULT_DIMENSIONS",
    "NAMED_VALUE",
    "TOKEN_VARIABLE",
    "UNAUTHORIZED",
    "AddressRange",
    "AuthenticationBasic",
    "AuthenticationCertificate",
    "AuthenticationManagedIdentity",
    "AzureOpenAIEmitTokenMetric",
    "AzureOpenAISemanticCacheLookup",
    "AzureOpenAISemanticCacheStore",
    "AzureOpenAITokenLimit",
    "Base",
    "CacheLookup",
    "CacheLookupValue",
    "CacheRemoveValue",
    "CacheStore",
    "CacheStoreValue",
    "CachingType",
    "CertificateIdentity",
    "CheckHeader",
    "Choose",
    "ClaimMatch",
    "ContentFormat",
    "ContentTypeMap",
    "ContentTypeMapping",
    "Cors",
    "DecryptionKey",
    "Dimension",
    "Document",
    "DownstreamCachingType",
    "EmbeddingsBackendAuth",
    "EmitMetric",
    "ExistsAction",
    "FindAndReplace",
    "ForwardRequest",
    "GetAuthorizationContext",
    "HarmCategory",
    "HttpVersion",
    "IdentityType",
    "IncludeFragment",
    "IpFilter",
    "IpFilterAction",
    "IssuerSigningKey",
    "JsonKind",
    "LimitConcurrency",
    "LlmContentSafety",
    "LlmEmitTokenMetric",
    "LlmSemanticCacheLookup",
    "LlmSemanticCacheStore",
    "LlmTokenLimit",
    "LogToEventHub",
    "MessageParameters",
    "MockResponse",
    "PathParameters",
    "Policy",
    "PolicyError",
    "PromptType",
    "Proxy",
    "Quota",
    "QuotaApi",
    "QuotaByKey",
    "QuotaOperation",
    "RateLimit",
    "RateLimitApi",
    "RateLimitByKey",
    "RateLimitOperation",
    "RawElement",
    "ReplicaType",
    "RequestMode",
    "RequiredClaim",
    "Retry",
    "ReturnResponse",
    "RewriteUri",
    "SafetyCategory",
    "Scope",
    "Section",
    "SendOneWayRequest",
    "SendRequest",
    "SetBackendService",
    "SetBody",
    "SetHeader",
    "SetMethod",
    "SetQueryParameter",
    "SetStatus",
    "SetVariable",
    "SeverityLevels",
    "Template",
    "TokenMetric",
    "TokenQuotaPeriod",
    "Trace",
    "TraceSeverity",
    "ValidateAzureAdToken",
    "ValidateClientCertificate",
    "ValidateContent",
    "ValidateHeaders",
    "ValidateJwt",
    "ValidateParameters",
    "ValidateStatusCode",
    "ValidatedContent",
    "ValidationAction",
    "Wait",
    "WaitFor",
    "When",
    "XmlBodies",
    "XmlToJson",
    "XsiNil",
]
