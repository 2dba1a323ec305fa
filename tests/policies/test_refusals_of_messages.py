"""What no policy about callers, requests of the gateway's own, flow, caches and validation can say, and the message."""

from collections.abc import Callable
from typing import Any

import pytest

from policies import (
    AddressRange,
    AuthenticationBasic,
    AuthenticationCertificate,
    AuthenticationManagedIdentity,
    CacheLookup,
    CacheLookupValue,
    CacheRemoveValue,
    CacheStore,
    CacheStoreValue,
    CertificateIdentity,
    Choose,
    ContentFormat,
    ContentTypeMap,
    ContentTypeMapping,
    Cors,
    DecryptionKey,
    FindAndReplace,
    ForwardRequest,
    GetAuthorizationContext,
    IdentityType,
    IpFilter,
    IpFilterAction,
    LimitConcurrency,
    LogToEventHub,
    MessageParameters,
    MockResponse,
    PathParameters,
    PolicyError,
    Proxy,
    RequestMode,
    Retry,
    SendOneWayRequest,
    SendRequest,
    SetBackendService,
    SetMethod,
    SetVariable,
    ValidateAzureAdToken,
    ValidateClientCertificate,
    ValidateContent,
    ValidatedContent,
    ValidateHeaders,
    ValidateStatusCode,
    ValidationAction,
    Wait,
    When,
)

PREVENT = ValidationAction.PREVENT
IDENTITY = AuthenticationManagedIdentity(output_token_variable_name=None)
STEP = SetVariable(name="a", value="b")


def cors(**options: Any) -> Cors:
    return Cors(**{"allowed_origins": ["https://a.example"], **options})


def request(**options: Any) -> SendRequest:
    new = {"response_variable_name": "r", "url": "https://a.example", "method": SetMethod(value="GET")}
    return SendRequest(**{**new, **options})


def retry(**options: Any) -> Retry:
    return Retry(**{"condition": True, "count": 1, "interval": 0, "policies": [STEP], **options})


def content(**options: Any) -> ValidatedContent:
    return ValidatedContent(**{"validate_as": ContentFormat.JSON, "action": PREVENT, **options})


def body(**options: Any) -> ValidateContent:
    return ValidateContent(
        **{"unspecified_content_type_action": PREVENT, "max_size": 1, "size_exceeded_action": PREVENT, **options}
    )


REFUSED: list[tuple[Callable[[], object], str]] = [
    # certificates, proxies and tokens of others
    (
        AuthenticationCertificate,
        "authentication-certificate has no certificate; give exactly one of thumbprint, certificate_id, body",
    ),
    (
        lambda: AuthenticationCertificate(thumbprint="a", certificate_id="b"),
        "authentication-certificate has thumbprint and certificate_id; "
        "give exactly one of thumbprint, certificate_id, body",
    ),
    (
        lambda: AuthenticationCertificate(body="@(a)", password="s3cret"),
        "authentication-certificate password is not a named value; "
        "keep it in a secret named value and give {{its-name}}",
    ),
    (
        lambda: AuthenticationCertificate(certificate_id="a", password="{{b}}"),
        "authentication-certificate has password without body; the service's own certificates need none",
    ),
    (
        lambda: Proxy(url="http://a", username="b"),
        "proxy has only one of username and password; give both or none",
    ),
    (
        lambda: Proxy(url="http://a", username="b", password="s3cret"),
        "proxy password is not a named value; keep it in a secret named value and give {{its-name}}",
    ),
    (
        lambda: GetAuthorizationContext(
            provider_id="a", authorization_id="b", context_variable_name="c", identity_type=IdentityType.JWT
        ),
        "get-authorization-context has identity_type jwt without identity; give the token whose access counts",
    ),
    (CertificateIdentity, "certificate identity is empty; give at least one of its options"),
    (
        lambda: CertificateIdentity(thumbprint="{{a}}"),
        "certificate identity thumbprint '{{a}}' has a named value; it decides who is admitted, so give the value "
        "itself",
    ),
    (
        lambda: CertificateIdentity(subject="@(a)"),
        "certificate identity subject '@(a)' is a policy expression; "
        "it decides who is admitted, so give the value itself",
    ),
    (
        lambda: ValidateClientCertificate(identities=[CertificateIdentity(thumbprint="a")] * 11),
        "validate-client-certificate has 11 identities; allowed: up to 10; remove some",
    ),
    (
        lambda: ValidateAzureAdToken(tenant_id="a", audiences=["b"], authentication_endpoint="http://a.example"),
        "validate-azure-ad-token authentication_endpoint 'http://a.example' is not https; "
        "use https (http is for loopback hosts only)",
    ),
    (
        lambda: ValidateAzureAdToken(
            tenant_id="a", audiences=["b"], decryption_keys=[DecryptionKey(certificate_id="{{a}}")]
        ),
        "decryption key certificate_id '{{a}}' has a named value; it decides who is admitted, so give the value itself",
    ),
    (
        lambda: SetBackendService(backend_id="a", dapr_app_id="b", dapr_method="c"),
        "set-backend-service has dapr_app_id with backend_id 'a'; give backend_id dapr",
    ),
    (
        lambda: SetBackendService(backend_id="dapr", dapr_method="c"),
        "set-backend-service has only one of dapr_app_id and dapr_method; give both or none",
    ),
    (
        lambda: content(schema_ref="#/a"),
        "validated content has schema_ref without schema_id; name the schema that it is part of",
    ),
    # cors
    (lambda: cors(allowed_origins=[]), "cors allowed_origins [] is empty; give at least one origin"),
    (
        lambda: cors(allowed_origins=["*", "https://a.example"]),
        "cors allowed_origins has '*' beside others; give '*' alone, or origins",
    ),
    *(
        (
            lambda credentials=credentials: cors(allowed_origins=["*"], allow_credentials=credentials),
            "cors allow_credentials with any origin is not allowed; name the origins",
        )
        for credentials in (True, "@(false)", "{{credentials}}")
    ),
    *(
        (
            lambda origin=origin: cors(allowed_origins=[origin]),
            f"cors allowed_origins {origin!r} is not an origin; use one such as https://portal.example.com",
        )
        for origin in (
            "a.example",
            "https://*.example",
            "https://a.example/path",
            "https://me@a.example",
            "https://a.example:",
            "null",
            "",
            "@(context.Request.Headers.GetValueOrDefault())",
        )
    ),
    (
        lambda: cors(preflight_result_max_age=5),
        "cors has preflight_result_max_age without allowed_methods; give the methods",
    ),
    (
        lambda: cors(allowed_methods=["GET"], preflight_result_max_age=2**32),
        "cors preflight_result_max_age 4294967296 is not allowed; use 0 to 4294967295 seconds",
    ),
    (
        lambda: cors(allowed_methods=["GET, POST"]),
        "cors allowed_methods 'GET, POST' is not a method; use one such as POST",
    ),
    (
        lambda: cors(allowed_headers=["a b"]),
        "cors allowed_headers 'a b' is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        lambda: cors(expose_headers=["@(context.Api.Name)"]),
        "cors expose_headers '@(context.Api.Name)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    # ip-filter
    (lambda: IpFilter(action=IpFilterAction.ALLOW), "ip-filter has no address; give addresses or address_ranges"),
    *(
        (
            lambda address=address: IpFilter(action=IpFilterAction.FORBID, addresses=[address]),
            f"ip-filter addresses {address!r} is not an IP address; use one such as 13.66.201.169",
        )
        for address in ("10.0.0.0/8", "host.example", "", " 10.0.0.1", "010.0.0.1")
    ),
    *(
        (
            lambda ends=ends: AddressRange(from_=ends[0], to=ends[1]),
            f"address range from {ends[0]} to {ends[1]} is empty; give the lower address first, both of a kind",
        )
        for ends in (("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "::ffff"))
    ),
    (
        lambda: AddressRange(from_="10.0.0.1", to="@(1)"),
        "address range '@(1)' is not an IP address; use one such as 13.66.201.169",
    ),
    # caches, set-method, find-and-replace
    (lambda: CacheLookupValue(key="", variable_name="v"), "cache-lookup-value key '' is empty; give it a value"),
    (
        lambda: CacheLookupValue(key="k", variable_name="@(1)"),
        "cache-lookup-value variable_name '@(1)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    (
        lambda: CacheStoreValue(key="k", value="", duration=0),
        "cache-store-value duration 0 is not allowed; use 1 to 2147483647 seconds",
    ),
    (lambda: CacheStoreValue(key="", value="", duration=1), "cache-store-value key '' is empty; give it a value"),
    (lambda: CacheRemoveValue(key=" "), "cache-remove-value key ' ' is empty; give it a value"),
    *(
        (lambda value=value: SetMethod(value=value), f"set-method {value!r} is not a method; use one such as POST")
        for value in ("", "GET /", "GET\r\n")
    ),
    (lambda: FindAndReplace(from_="", to="a"), "find-and-replace from_ '' is empty; give the text to look for"),
    # authentication-basic
    (
        lambda: AuthenticationBasic(username="a:b", password="{{p}}"),
        "authentication-basic username 'a:b' contains a colon, which is not allowed; remove it",
    ),
    (
        lambda: AuthenticationBasic(username="a", password="s3cret"),
        "authentication-basic password is not a named value; keep it in a secret named value and give {{its-name}}",
    ),
    # cache-lookup, cache-store
    (
        lambda: CacheLookup(vary_by_developer=False, allow_private_response_caching="@(true)"),
        "cache-lookup allow_private_response_caching would return a response to other callers; "
        "add Authorization to vary_by_header",
    ),
    (
        lambda: CacheLookup(vary_by_developer=False, vary_by_query_parameter=[" "]),
        "cache-lookup vary_by_query_parameter ' ' is empty; give it a value",
    ),
    (lambda: CacheStore(duration=0), "cache-store duration 0 is not allowed; use 1 to 2147483647 seconds"),
    # log-to-eventhub
    (
        lambda: LogToEventHub(logger_id="l", partition_id=0, partition_key="k", value="m"),
        "log-to-eventhub has partition_id and partition_key; give one of them, or none",
    ),
    (
        lambda: LogToEventHub(logger_id="@(1)", value="m"),
        "log-to-eventhub logger_id '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    # mock-response
    (lambda: MockResponse(status_code=100), "mock-response status_code 100 is not allowed; use 200 to 599"),
    # send-one-way-request
    (
        SendOneWayRequest,
        "send-one-way-request is a new request without url or method; give both, or mode RequestMode.COPY",
    ),
    # send-request
    *(
        (
            lambda part=part, mode=mode: request(**{part: None, "mode": mode}),
            "send-request is a new request without url or method; give both, or mode RequestMode.COPY",
        )
        for part in ("url", "method")
        for mode in (None, RequestMode.NEW)
    ),
    *(
        (
            lambda url=url: request(url=url),
            f"send-request url {url!r} is not a URL; use one such as https://login.example.com/path",
        )
        for url in ("", "a.example", "ftp://a.example", "https://me@a.example", "https://a.example/ b")
    ),
    (
        lambda: request(url="http://a.example", identity=IDENTITY),
        "send-request url 'http://a.example' is not https; use https (http is for loopback hosts only)",
    ),
    (
        lambda: request(identity=AuthenticationManagedIdentity()),
        "send-request identity would store its token in a variable; give it output_token_variable_name=None",
    ),
    (
        lambda: request(timeout=1, timeout_ms=1000),
        "send-request timeout 1 with timeout_ms 1000 is not allowed; give one of them",
    ),
    (lambda: request(timeout=0), "send-request timeout 0 is not allowed; use 1 to 2147483647 seconds"),
    (lambda: request(timeout_ms=-1), "send-request timeout_ms -1 is not allowed; use 1 to 2147483647 milliseconds"),
    (
        lambda: request(response_variable_name=""),
        "send-request response_variable_name '' is empty; give it a value",
    ),
    # flow
    *(
        (lambda count=count: retry(count=count), f"retry count {count} is not allowed; use 1 to 50")
        for count in (0, 51)
    ),
    (lambda: retry(interval=-1), "retry interval -1 is not allowed; use 0 to 2147483647 seconds"),
    (lambda: retry(delta=0), "retry delta 0 is not allowed; use 1 to 2147483647 seconds"),
    (lambda: retry(delta=1, max_interval=0), "retry max_interval 0 is not allowed; use 1 to 2147483647 seconds"),
    (
        lambda: retry(max_interval=5),
        "retry has max_interval without delta, without which the wait does not grow; give both",
    ),
    (lambda: retry(policies=[]), "retry policies [] is empty; give at least one policy"),
    (
        lambda: retry(policies=[Choose(when=[When(condition=True, policies=[Wait(policies=[request()])])])]),
        "wait is not allowed inside retry; move it out",
    ),
    (
        lambda: LimitConcurrency(key="", max_count=1, policies=[STEP]),
        "limit-concurrency key '' is empty; give it a value",
    ),
    (
        lambda: LimitConcurrency(key="k", max_count=0, policies=[STEP]),
        "limit-concurrency max_count 0 is not allowed; use 1 to 2147483647",
    ),
    (
        lambda: LimitConcurrency(key="k", max_count=1, policies=[]),
        "limit-concurrency policies [] is empty; give at least one policy",
    ),
    (lambda: Wait(policies=[]), "wait policies [] is empty; give at least one policy"),
    (
        lambda: Wait(policies=[ForwardRequest(), STEP]),
        "set-variable is not allowed directly inside wait; use choose, forward-request, send-request, "
        "cache-lookup-value, cache-store-value, authentication-managed-identity",
    ),
    # validation
    *(
        (
            lambda size=size: body(max_size=size),
            f"validate-content max_size {size} is not allowed; use 1 to 102400 bytes",
        )
        for size in (0, 102_401)
    ),
    (
        lambda: body(size_exceeded_action="block"),
        "validate-content size_exceeded_action 'block' is not allowed; use ValidationAction.IGNORE or "
        "ValidationAction.PREVENT or ValidationAction.DETECT or an expression such as @(...)",
    ),
    (
        lambda: body(errors_variable_name=""),
        "validate-content errors_variable_name '' is empty; give it a value",
    ),
    (
        ContentTypeMap,
        "content type map is empty; give any_content_type_value, missing_content_type_value or types",
    ),
    (
        lambda: ContentTypeMap(any_content_type_value=""),
        "content type map any_content_type_value '' is empty; give it a value",
    ),
    *(
        (
            lambda options=options: ContentTypeMapping(to="a", **options),
            "content type mapping needs either from_ or when; give exactly one of them",
        )
        for options in ({}, {"from_": "a", "when": True})
    ),
    (lambda: ContentTypeMapping(from_="a", to=""), "content type mapping to '' is empty; give it a value"),
    (
        lambda: content(type="@(1)"),
        "validated content type '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    (
        lambda: ValidateHeaders(
            specified_header_action=PREVENT, unspecified_header_action=PREVENT, headers={"x-A": PREVENT, "X-a": PREVENT}
        ),
        "validate-headers headers has 'X-a' twice, ignoring case; keep one",
    ),
    (
        lambda: PathParameters(specified_parameter_action=PREVENT, parameters={"a": PREVENT, "A": PREVENT}),
        "path parameters parameters has 'A' twice, ignoring case; keep one",
    ),
    (
        lambda: MessageParameters(
            specified_parameter_action=PREVENT, unspecified_parameter_action=PREVENT, parameters={"@(1)": PREVENT}
        ),
        "message parameters parameters name '@(1)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    (
        lambda: PathParameters(specified_parameter_action=PREVENT, parameters={"": PREVENT}),
        "path parameters parameters name '' is empty; give it a value",
    ),
    (
        lambda: ValidateHeaders(
            specified_header_action=PREVENT, unspecified_header_action=PREVENT, headers={" ": PREVENT}
        ),
        "validate-headers headers name ' ' is empty; give it a value",
    ),
    (
        lambda: ValidateHeaders(
            specified_header_action=PREVENT, unspecified_header_action=PREVENT, headers=any_type(["a"])
        ),
        "validate-headers headers list is not allowed; use a dict of ValidationAction.IGNORE or "
        "ValidationAction.PREVENT or ValidationAction.DETECT or text by name",
    ),
    *(
        (
            lambda code=code: ValidateStatusCode(unspecified_status_code_action=PREVENT, status_codes={code: PREVENT}),
            f"validate-status-code status_codes {code} is not the status code of a response; use 200 to 599",
        )
        for code in (99, 600)
    ),
    (
        lambda: ValidateStatusCode(unspecified_status_code_action=PREVENT, status_codes=any_type({"404": PREVENT})),
        "validate-status-code status_codes name '404' is not allowed; use a whole number",
    ),
]


def any_type(value: object) -> Any:
    """Return `value` as the type checker would not let it pass."""
    return value


@pytest.mark.parametrize(("make", "message"), [pytest.param(*case, id=ascii(case[1])[1:90]) for case in REFUSED])
def test_it_is_refused_with_this_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        make()

    assert str(refusal.value) == message


def test_token_may_be_sent_in_the_clear_on_loopback_only() -> None:
    assert request(url="http://127.0.0.1:8080/", identity=IDENTITY).identity == IDENTITY
