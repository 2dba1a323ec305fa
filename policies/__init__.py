"""Gateway policies: typed options that render to the policy XML of Azure API Management.

Standard library only. A field is the XML attribute of that name in kebab case, and `None` leaves the attribute out.
"""

from policies.authentication_managed_identity import (
    BEARER_TOKEN,
    COGNITIVE_SERVICES,
    TOKEN_VARIABLE,
    AuthenticationManagedIdentity,
)
from policies.base import Base
from policies.check_header import CheckHeader
from policies.choose import Choose, When
from policies.claims import ClaimMatch, RequiredClaim
from policies.document import Document
from policies.errors import PolicyError
from policies.forward_request import ForwardRequest, HttpVersion
from policies.include_fragment import IncludeFragment
from policies.policy import Policy, Section
from policies.raw_element import RawElement
from policies.return_response import ReturnResponse
from policies.rewrite_uri import RewriteUri
from policies.set_backend_service import BACKEND_ID, ReplicaType, SetBackendService
from policies.set_body import BodyTemplate, SetBody, XsiNil
from policies.set_header import NAMED_VALUE, ExistsAction, SetHeader
from policies.set_query_parameter import SetQueryParameter
from policies.set_status import SetStatus
from policies.set_variable import SetVariable
from policies.token_validation import UNAUTHORIZED, DecryptionKey
from policies.validate_azure_ad_token import ValidateAzureAdToken
from policies.validate_jwt import IssuerSigningKey, ValidateJwt

__all__ = [
    "BACKEND_ID",
    "BEARER_TOKEN",
    "COGNITIVE_SERVICES",
    "NAMED_VALUE",
    "TOKEN_VARIABLE",
    "UNAUTHORIZED",
    "AuthenticationManagedIdentity",
    "Base",
    "BodyTemplate",
    "CheckHeader",
    "Choose",
    "ClaimMatch",
    "DecryptionKey",
    "Document",
    "ExistsAction",
    "ForwardRequest",
    "HttpVersion",
    "IncludeFragment",
    "IssuerSigningKey",
    "Policy",
    "PolicyError",
    "RawElement",
    "ReplicaType",
    "RequiredClaim",
    "ReturnResponse",
    "RewriteUri",
    "Section",
    "SetBackendService",
    "SetBody",
    "SetHeader",
    "SetQueryParameter",
    "SetStatus",
    "SetVariable",
    "ValidateAzureAdToken",
    "ValidateJwt",
    "When",
    "XsiNil",
]
