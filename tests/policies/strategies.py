"""Hypothesis strategies: random valid options of every policy, and whole documents of them."""

from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import (
    AuthenticationManagedIdentity,
    Base,
    CertificateIdentity,
    CheckHeader,
    Choose,
    ClaimMatch,
    DecryptionKey,
    Document,
    ExistsAction,
    ForwardRequest,
    GetAuthorizationContext,
    HttpVersion,
    IdentityType,
    IncludeFragment,
    IssuerSigningKey,
    LimitConcurrency,
    Policy,
    RawElement,
    ReplicaType,
    RequiredClaim,
    Retry,
    ReturnResponse,
    RewriteUri,
    SetBackendService,
    SetBody,
    SetHeader,
    SetQueryParameter,
    SetStatus,
    SetVariable,
    Template,
    ValidateAzureAdToken,
    ValidateClientCertificate,
    ValidateJwt,
    Wait,
    WaitFor,
    When,
    XsiNil,
)
from tests.policies import limits, messages
from tests.policies.values import (
    EXPRESSIONS,
    choice,
    codes,
    decided,
    expressions,
    filled,
    flag_expressions,
    flags,
    lines,
    literals,
    maybe,
    named_values,
    options,
    plain,
    texts,
    tokens,
    upto,
    urls,
)

INT = 2**31 - 1


def setters(kind: Any, names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Build policies that set a header or a query parameter, or delete it."""
    actions = st.sampled_from([None, ExistsAction.OVERRIDE, ExistsAction.APPEND, ExistsAction.SKIP, *EXPRESSIONS])
    return options(kind, name=names, exists_action=actions, values=st.lists(values, min_size=1, max_size=3)) | options(
        kind, name=names, exists_action=st.just(ExistsAction.DELETE)
    )


set_header = setters(SetHeader, tokens | expressions, lines)
set_query_parameter = setters(SetQueryParameter, filled, texts)
set_variable = options(SetVariable, name=plain, value=texts)
set_status = options(SetStatus, code=st.integers(200, 599) | expressions | named_values, reason=maybe(lines))
set_body = options(
    SetBody,
    value=texts,
    template=maybe(st.sampled_from(Template)),
    xsi_nil=maybe(st.sampled_from(XsiNil)),
    parse_date=maybe(flags),
    html_decode_expression=maybe(flags),
)
return_response = options(
    ReturnResponse,
    response_variable_name=maybe(plain),
    status=maybe(set_status),
    headers=st.lists(set_header, max_size=2),
    body=maybe(set_body),
)
include_fragment = options(
    IncludeFragment, fragment_id=st.from_regex(r"[a-zA-Z0-9_]([\w-]{0,8}\w)?", fullmatch=True, alphabet="aZ0_-")
)
fabric = {
    "sf_resolve_condition": maybe(flag_expressions),
    "sf_service_instance_name": maybe(texts),
    "sf_partition_key": maybe(texts),
    "sf_listener_name": maybe(texts),
    "sf_replica_type": maybe(choice(ReplicaType)),
}
dapr = {"backend_id": st.just("dapr"), "dapr_app_id": texts, "dapr_method": texts, "dapr_namespace": maybe(texts)}
set_backend_service = (
    options(SetBackendService, backend_id=filled, **fabric)
    | options(SetBackendService, base_url=filled)
    | options(SetBackendService, **dapr)
)
get_authorization_context = options(
    GetAuthorizationContext,
    provider_id=filled,
    authorization_id=filled,
    context_variable_name=plain,
    identity_type=maybe(choice(IdentityType)),
    identity=filled,
    ignore_error=maybe(flag_expressions),
)
identities = st.builds(CertificateIdentity, thumbprint=decided, dns_name=maybe(decided), issuer_subject=maybe(decided))
validate_client_certificate = options(
    ValidateClientCertificate,
    validate_revocation=maybe(flags),
    validate_trust=maybe(flags),
    validate_not_before=maybe(flags),
    validate_not_after=maybe(flags),
    ignore_error=maybe(flags),
    identities=st.lists(identities, max_size=2),
)
rewrite_uri = options(
    RewriteUri, template=literals.map("/".__add__) | expressions | named_values, copy_unmatched_params=maybe(flags)
)
authentication_managed_identity = options(
    AuthenticationManagedIdentity,
    resource=filled,
    client_id=maybe(texts),
    output_token_variable_name=maybe(plain),
    ignore_error=maybe(flags),
)
check_header = options(
    CheckHeader,
    name=tokens | expressions,
    failed_check_httpcode=codes,
    failed_check_error_message=maybe(texts),
    ignore_case=maybe(flag_expressions),
    values=st.lists(texts, max_size=3),
)
timeouts = st.sampled_from(["timeout", "timeout_ms"]).flatmap(
    lambda name: options(
        ForwardRequest,
        **{name: maybe(upto(1, INT))},
        continue_timeout=maybe(upto(1, INT)),
        follow_redirects=maybe(flag_expressions),
        http_version=maybe(st.sampled_from(HttpVersion)),
        buffer_request_body=maybe(flags),
        buffer_response=maybe(flags),
        fail_on_error_status_code=maybe(flags),
    )
)
forward_request = timeouts
separators = st.sampled_from([" ", ",", "{{a}}"])
claims = st.dictionaries(
    decided,
    st.builds(
        RequiredClaim,
        values=st.lists(decided, min_size=1, max_size=3),
        match=maybe(st.sampled_from(ClaimMatch)),
        separator=maybe(separators),
    ),
    max_size=2,
)
moduli = st.text("abcXYZ019-_", min_size=340, max_size=344).map("_".__add__).filter(lambda text: len(text) % 4 != 1)
signing_keys = st.one_of(
    st.builds(IssuerSigningKey, n=moduli, e=st.just("AQAB"), id=maybe(plain)),
    st.builds(IssuerSigningKey, value=named_values, id=maybe(plain)),
    st.builds(IssuerSigningKey, certificate_id=plain, id=maybe(plain)),
)
lists = st.lists(decided, max_size=2)
some = st.lists(decided, min_size=1, max_size=2)
places: list[dict[str, st.SearchStrategy[Any]]] = [
    {"header_name": tokens},
    {"header_name": st.none(), "query_parameter_name": decided},
    {"header_name": st.none(), "token_value": expressions},
]
token = {
    "require_scheme": maybe(decided),
    "failed_validation_httpcode": codes,
    "failed_validation_error_message": maybe(texts),
    "output_token_variable_name": maybe(plain),
    "required_claims": claims,
    "decryption_keys": st.lists(st.builds(DecryptionKey, certificate_id=decided, id=maybe(plain)), max_size=2),
}


@st.composite
def validate_azure_ad_token(draw: st.DrawFn) -> ValidateAzureAdToken:
    needed = draw(st.sampled_from(["audiences", "client_application_ids"]))
    accepted = {"audiences": lists, "client_application_ids": lists, "backend_application_ids": lists, needed: some}
    strategy = options(
        ValidateAzureAdToken,
        **draw(st.sampled_from(places)),
        **token,
        **accepted,
        authentication_endpoint=maybe(urls),
        allow_protected_forwarded_tokens=maybe(flags),
        allow_proof_of_possession_tokens=maybe(flags),
        tenant_id=st.sampled_from(["contoso.com", "common", "https://login.microsoftonline.com/a-b/"]),
    )
    policy: ValidateAzureAdToken = draw(strategy)
    return policy


@st.composite
def validate_jwt(draw: st.DrawFn) -> ValidateJwt:
    strategy = options(
        ValidateJwt,
        **draw(st.sampled_from(places)),
        **token,
        audiences=some,
        require_expiration_time=maybe(flags),
        require_signed_tokens=maybe(st.just(True)),
        clock_skew=maybe(st.integers(0, 300)),
        openid_config_urls=st.lists(urls, min_size=1, max_size=2),
        issuer_signing_keys=st.lists(signing_keys, max_size=2),
        issuers=lists,
    )
    policy: ValidateJwt = draw(strategy)
    return policy


def _untyped(prefix: str, separator: str) -> RawElement:
    attributes = {"apply": "always", "namespace-prefix": prefix, "namespace-separator": separator}
    return RawElement(xml=ET.tostring(ET.Element("json-to-xml", attributes), encoding="unicode"))


raw_element = st.builds(_untyped, texts, texts)


def choose(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    branch = st.lists(policies, max_size=2)
    whens = st.builds(When, condition=flag_expressions, policies=branch)
    return options(Choose, when=st.lists(whens, min_size=1, max_size=2), otherwise=maybe(branch))


def retry(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    waits = st.sampled_from([[], ["delta"], ["delta", "max_interval"]])
    return waits.flatmap(
        lambda given: options(
            Retry,
            condition=flag_expressions,
            count=upto(1, 50),
            interval=upto(0, INT),
            first_fast_retry=maybe(flag_expressions),
            policies=st.lists(policies, min_size=1, max_size=2),
            **{name: upto(1, INT) for name in given},
        )
    )


def limit_concurrency(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    some = st.lists(policies, min_size=1, max_size=2)
    return options(LimitConcurrency, key=filled, max_count=st.integers(1, INT), policies=some)


def wait(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    return options(Wait, for_=choice(WaitFor), policies=st.lists(policies, min_size=1, max_size=2))


def flows(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    return choose(policies) | retry(policies) | limit_concurrency(policies)


anywhere: list[st.SearchStrategy[Policy]] = [
    set_header, set_variable, set_status, set_body, return_response, include_fragment, raw_element, limits.trace,
    messages.cache_lookup_value, messages.cache_store_value, messages.cache_remove_value, messages.set_method,
    messages.find_and_replace, messages.send_request, messages.send_one_way_request, messages.log_to_eventhub,
]  # fmt: skip
on_request = [get_authorization_context, set_backend_service, set_query_parameter]
on_inbound = [
    rewrite_uri, authentication_managed_identity, messages.authentication_certificate, messages.proxy,
    validate_client_certificate, messages.authentication_basic, check_header,
    *limits.TOKEN_METRICS.values(),
]  # fmt: skip
not_on_backend = [limits.emit_metric, messages.mock_response, messages.validate_content]
on_response = [messages.validate_headers, messages.validate_status_code, *not_on_backend]
inbound = st.recursive(st.one_of(*anywhere, *on_request, *on_inbound, *not_on_backend), flows, max_leaves=4)
backend = st.recursive(st.one_of(*anywhere, *on_request, forward_request), flows, max_leaves=3)
response = st.recursive(st.one_of(*anywhere, *on_response), flows, max_leaves=3)
waiting = wait(
    messages.send_request | messages.cache_lookup_value | messages.cache_store_value | choose(st.one_of(*anywhere))
)
validations = validate_azure_ad_token() | validate_jwt()


@st.composite
def documents(draw: st.DrawFn) -> Document:
    def with_base(policies: list[Policy]) -> list[Policy]:
        place = draw(st.none() | st.integers(0, len(policies)))
        return policies if place is None else [*policies[:place], Base(), *policies[place:]]

    def some(*strategies: st.SearchStrategy[Policy], most: int = 1) -> list[Policy]:
        return draw(st.lists(st.one_of(*strategies), max_size=most))

    return Document(
        inbound=with_base(
            [
                *some(messages.cors),
                *some(messages.ip_filter),
                *some(validations, most=2),
                *some(inbound, waiting, most=2),
                *some(*limits.SPEND.values()),
                *some(limits.llm_content_safety),
                *some(inbound, messages.validate_parameters),
                *some(*limits.ANSWER.values()),
            ]
        ),
        backend=[draw(st.just(Base()) | backend | waiting)],
        outbound=with_base(
            [*some(*limits.STORE.values()), *some(limits.llm_content_safety, response, waiting, most=2)]
        ),
        on_error=with_base(some(response, most=2)),
    )


INBOUND: dict[str, st.SearchStrategy[Policy]] = {
    "authentication-basic": messages.authentication_basic,
    "authentication-certificate": messages.authentication_certificate,
    "authentication-managed-identity": authentication_managed_identity,
    "cache-lookup": messages.cache_lookup,
    "cache-lookup-value": messages.cache_lookup_value,
    "cache-remove-value": messages.cache_remove_value,
    "cache-store-value": messages.cache_store_value,
    "check-header": check_header,
    "choose": choose(inbound),
    "cors": messages.cors,
    "emit-metric": limits.emit_metric,
    "find-and-replace": messages.find_and_replace,
    "get-authorization-context": get_authorization_context,
    "include-fragment": include_fragment,
    "ip-filter": messages.ip_filter,
    "limit-concurrency": limit_concurrency(inbound),
    "llm-content-safety": limits.llm_content_safety,
    "json-to-xml": raw_element,
    "log-to-eventhub": messages.log_to_eventhub,
    "mock-response": messages.mock_response,
    "proxy": messages.proxy,
    "retry": retry(inbound),
    "return-response": return_response,
    "rewrite-uri": rewrite_uri,
    "send-one-way-request": messages.send_one_way_request,
    "send-request": messages.send_request,
    "set-backend-service": set_backend_service,
    "set-body": set_body,
    "set-header": set_header,
    "set-method": messages.set_method,
    "set-query-parameter": set_query_parameter,
    "set-status": set_status,
    "set-variable": set_variable,
    "trace": limits.trace,
    "validate-azure-ad-token": validate_azure_ad_token(),
    "validate-client-certificate": validate_client_certificate,
    "validate-content": messages.validate_content,
    "validate-jwt": validate_jwt(),
    "validate-parameters": messages.validate_parameters,
    "wait": waiting,
    **limits.SPEND,
    **limits.ANSWER,
    **limits.TOKEN_METRICS,
}
OUTBOUND: dict[str, st.SearchStrategy[Policy]] = {
    "cache-store": messages.cache_store,
    "validate-headers": messages.validate_headers,
    "validate-status-code": messages.validate_status_code,
    **limits.STORE,
}
