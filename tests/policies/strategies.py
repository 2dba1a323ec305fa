"""Hypothesis strategies: random valid options of every policy, and whole documents of them."""

from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import (
    AuthenticationManagedIdentity,
    Base,
    BodyTemplate,
    CheckHeader,
    Choose,
    ClaimMatch,
    DecryptionKey,
    Document,
    ExistsAction,
    ForwardRequest,
    HttpVersion,
    IncludeFragment,
    IssuerSigningKey,
    Policy,
    RawElement,
    ReplicaType,
    RequiredClaim,
    ReturnResponse,
    RewriteUri,
    SetBackendService,
    SetBody,
    SetHeader,
    SetQueryParameter,
    SetStatus,
    SetVariable,
    ValidateAzureAdToken,
    ValidateJwt,
    When,
    XsiNil,
)

AWKWARD = [
    "\t",
    "\n",
    "\r",
    "\r\n",
    " ",
    "<",
    ">",
    "&",
    '"',
    "'",
    "]]>",
    "<![CDATA[",
    "&#13;",
    "<!--",
    "\x85",
    "\u2028",
]
EXPRESSIONS = [
    "@(context.RequestId)",
    '@("Bearer " + (string)context.Variables["t"])',
    '@(1 < 2 && "a" != null)',
    '@{\n\tvar a = "<&>\'";\r\n\treturn a;\n}',
]


def _is_plain(value: str) -> bool:
    return not value.lstrip().startswith(("@(", "@{"))


characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    AWKWARD
)
literals = st.lists(characters, max_size=8).map("".join).filter(_is_plain)
expressions = st.sampled_from(EXPRESSIONS)
named_values = st.sampled_from(["{{a}}", "{{ openai-api-key }}"])
texts = literals | expressions | named_values
filled = texts.filter(str.strip)
lines = (literals.filter(lambda value: not set("\r\n") & set(value))) | expressions | named_values
decided = literals.filter(lambda value: bool(value.strip()) and value == value.strip() and "{{" not in value)
tokens = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12).map("x-".__add__)
hosts = st.sampled_from(["login.example.com", "contoso.ciamlogin.com:443", "127.0.0.1", "[::1]:8443"])
urls = st.builds("{}{}/{}".format, st.just("https://"), hosts, st.text("abc?&=%'\"<>", max_size=8)) | st.just(
    "http://localhost:8080/a?b=<&>"
)
codes = st.integers(400, 599)
numbers = st.integers(0, 2**31 - 1) | expressions | named_values
flags = st.booleans()
flag_expressions = flags | expressions | named_values


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def options(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build `kind` with an identifier, as every policy may have one."""
    return st.builds(kind, id=maybe(texts), **strategies)


def setters(kind: Any, names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Build policies that set a header or a query parameter, or delete it."""
    actions = st.sampled_from([None, ExistsAction.OVERRIDE, ExistsAction.APPEND, ExistsAction.SKIP, *EXPRESSIONS])
    return options(kind, name=names, exists_action=actions, values=st.lists(values, min_size=1, max_size=3)) | options(
        kind, name=names, exists_action=st.just(ExistsAction.DELETE)
    )


set_header = setters(SetHeader, tokens | expressions, lines)
set_query_parameter = setters(SetQueryParameter, filled, texts)
set_variable = options(SetVariable, name=filled, value=texts)
set_status = options(SetStatus, code=st.integers(100, 599) | expressions | named_values, reason=maybe(lines))
set_body = options(
    SetBody,
    value=texts,
    template=maybe(st.sampled_from(BodyTemplate)),
    xsi_nil=maybe(st.sampled_from(XsiNil)),
    parse_date=maybe(flags),
    html_decode_expression=maybe(flags),
)
return_response = options(
    ReturnResponse,
    response_variable_name=maybe(texts),
    status=maybe(set_status),
    headers=st.lists(set_header, max_size=2),
    body=maybe(set_body),
)
include_fragment = options(
    IncludeFragment, fragment_id=st.from_regex(r"[a-zA-Z0-9_]([\w-]{0,8}\w)?", fullmatch=True, alphabet="aZ0_-")
)
fabric = {
    "sf_partition_key": maybe(texts),
    "sf_replica_type": maybe(st.sampled_from(ReplicaType) | expressions),
    "sf_resolve_condition": maybe(flag_expressions),
    "sf_service_instance_name": maybe(texts),
    "sf_listener_name": maybe(texts),
}
set_backend_service = (
    options(SetBackendService, backend_id=filled, **fabric)
    | options(SetBackendService, base_url=filled, **fabric)
    | options(
        SetBackendService,
        backend_id=st.just("dapr"),
        dapr_app_id=filled,
        dapr_method=filled,
        dapr_namespace=maybe(texts),
    )
)
rewrite_uri = options(RewriteUri, template=filled, copy_unmatched_params=maybe(flags))
authentication_managed_identity = options(
    AuthenticationManagedIdentity,
    resource=filled,
    client_id=maybe(texts),
    output_token_variable_name=maybe(texts),
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
        **{name: maybe(numbers)},
        continue_timeout=maybe(numbers),
        http_version=maybe(st.sampled_from(HttpVersion)),
        follow_redirects=maybe(flag_expressions),
        buffer_request_body=maybe(flags),
        buffer_response=maybe(flags),
        fail_on_error_status_code=maybe(flags),
    )
)
forward_request = timeouts
claims = st.dictionaries(
    decided,
    st.builds(
        RequiredClaim,
        values=st.lists(decided, min_size=1, max_size=3),
        match=maybe(st.sampled_from(ClaimMatch)),
        separator=maybe(texts),
    ),
    max_size=2,
)
certificates = st.builds(DecryptionKey, certificate_id=texts, id=maybe(texts))
decryption_keys = certificates | st.builds(DecryptionKey, value=named_values, id=maybe(texts))
signing_keys = st.one_of(
    st.builds(IssuerSigningKey, certificate_id=texts, id=maybe(texts)),
    st.builds(IssuerSigningKey, n=texts, e=texts, id=maybe(texts)),
    st.builds(IssuerSigningKey, value=named_values, id=maybe(texts)),
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
    "output_token_variable_name": maybe(filled),
    "required_claims": claims,
}


@st.composite
def validate_azure_ad_token(draw: st.DrawFn) -> ValidateAzureAdToken:
    needed = draw(st.sampled_from(["audiences", "client_application_ids", "backend_application_ids"]))
    accepted = {"audiences": lists, "client_application_ids": lists, "backend_application_ids": lists, needed: some}
    strategy = options(
        ValidateAzureAdToken,
        **draw(st.sampled_from(places)),
        **token,
        **accepted,
        tenant_id=decided,
        decryption_keys=st.lists(certificates, max_size=2),
        authentication_endpoint=maybe(urls),
        allow_protected_forwarded_tokens=maybe(flags),
        allow_proof_of_possession_tokens=maybe(flags),
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
        decryption_keys=st.lists(decryption_keys, max_size=2),
        require_expiration_time=maybe(flags),
        require_signed_tokens=maybe(st.just(True)),
        clock_skew=maybe(st.integers(0, 300)),
        openid_config_urls=st.lists(urls, min_size=1, max_size=2),
        issuer_signing_keys=st.lists(signing_keys, max_size=2),
        issuers=lists,
    )
    policy: ValidateJwt = draw(strategy)
    return policy


def _trace(source: str, severity: str, message: str) -> RawElement:
    element = ET.Element("trace", source=source, severity=severity)
    ET.SubElement(element, "message").text = message
    return RawElement(xml=ET.tostring(element, encoding="unicode").replace("\r", "&#13;"))


raw_element = st.builds(_trace, texts, st.sampled_from(["verbose", "information", "error"]), texts)


def choose(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    branch = st.lists(policies, max_size=2)
    whens = st.builds(When, condition=flag_expressions, policies=branch)
    return options(Choose, when=st.lists(whens, min_size=1, max_size=2), otherwise=maybe(branch))


anywhere: list[st.SearchStrategy[Policy]] = [
    set_header, set_variable, set_status, set_body, return_response, include_fragment, raw_element,
]  # fmt: skip
on_request = [set_backend_service, set_query_parameter]
inbound = st.recursive(
    st.one_of(*anywhere, *on_request, rewrite_uri, authentication_managed_identity, check_header), choose, max_leaves=4
)
backend = st.recursive(st.one_of(*anywhere, *on_request, forward_request), choose, max_leaves=3)
response = st.recursive(st.one_of(*anywhere), choose, max_leaves=3)
validations = validate_azure_ad_token() | validate_jwt()


@st.composite
def documents(draw: st.DrawFn) -> Document:
    def with_base(policies: list[Policy]) -> list[Policy]:
        place = draw(st.none() | st.integers(0, len(policies)))
        return policies if place is None else [*policies[:place], Base(), *policies[place:]]

    return Document(
        inbound=with_base([*draw(st.lists(validations, max_size=2)), *draw(st.lists(inbound, max_size=3))]),
        backend=[draw(st.just(Base()) | backend)],
        outbound=with_base(draw(st.lists(response, max_size=2))),
        on_error=with_base(draw(st.lists(response, max_size=2))),
    )


INBOUND: dict[str, st.SearchStrategy[Policy]] = {
    "authentication-managed-identity": authentication_managed_identity,
    "check-header": check_header,
    "choose": choose(inbound),
    "include-fragment": include_fragment,
    "return-response": return_response,
    "rewrite-uri": rewrite_uri,
    "set-backend-service": set_backend_service,
    "set-body": set_body,
    "set-header": set_header,
    "set-query-parameter": set_query_parameter,
    "set-status": set_status,
    "set-variable": set_variable,
    "trace": raw_element,
    "validate-azure-ad-token": validate_azure_ad_token(),
    "validate-jwt": validate_jwt(),
}
