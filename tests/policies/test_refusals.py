"""What no policy can say, and the message that tells so."""

from collections.abc import Callable
from typing import Any

import pytest

from policies import (
    AuthenticationManagedIdentity,
    Base,
    CheckHeader,
    Choose,
    ClaimMatch,
    Document,
    ExistsAction,
    ForwardRequest,
    IncludeFragment,
    IssuerSigningKey,
    PolicyError,
    RawElement,
    RequiredClaim,
    ReturnResponse,
    RewriteUri,
    Section,
    SetBackendService,
    SetBody,
    SetHeader,
    SetMethod,
    SetQueryParameter,
    SetStatus,
    SetVariable,
    Trace,
    ValidateAzureAdToken,
    ValidateJwt,
    When,
)

CONFIG = ["https://login.example.com/config"]


def entra(**options: Any) -> ValidateAzureAdToken:
    return ValidateAzureAdToken(**{"tenant_id": "contoso.com", "audiences": ["api"], **options})


def jwt(**options: Any) -> ValidateJwt:
    return ValidateJwt(**{"openid_config_urls": CONFIG, "audiences": ["api"], **options})


def any_type(value: object) -> Any:
    """Return `value` as the type checker would not let it pass."""
    return value


OPTIONS: list[tuple[Callable[[], object], str]] = [
    # types
    (lambda: SetVariable(name="a", value=any_type(7)), "set-variable value 7 is not allowed; use text"),
    (lambda: SetVariable(name="a", value=any_type(None)), "set-variable value None is not allowed; use text"),
    (lambda: SetStatus(code=any_type(True)), "set-status code True is not allowed; use a whole number or text"),
    (lambda: SetStatus(code=any_type(200.0)), "set-status code 200.0 is not allowed; use a whole number or text"),
    (
        lambda: SetStatus(code="200"),
        "set-status code '200' is not allowed; use a whole number or an expression such as @(...)",
    ),
    (
        lambda: When(condition="yes"),
        "when condition 'yes' is not allowed; use True or False or an expression such as @(...)",
    ),
    (
        lambda: RewriteUri(template="/a", copy_unmatched_params=any_type("@(true)")),
        "rewrite-uri copy_unmatched_params '@(true)' is not allowed; use True or False",
    ),
    (
        lambda: RequiredClaim(values=["a"], match=any_type("any")),
        "required claim match 'any' is not allowed; use ClaimMatch.ALL or ClaimMatch.ANY",
    ),
    (lambda: SetHeader(name="a", values=any_type("k3y")), "set-header values str is not allowed; use a list of text"),
    (lambda: SetHeader(name="a", values=[any_type(1)]), "set-header values 1 is not allowed; use text"),
    (
        lambda: entra(required_claims=["roles"]),
        "validate-azure-ad-token required_claims list is not allowed; use a dict of RequiredClaim by name",
    ),
    (
        lambda: entra(required_claims={"roles": ["a"]}),
        "validate-azure-ad-token required_claims ['a'] is not allowed; use RequiredClaim",
    ),
    (
        lambda: entra(required_claims={1: RequiredClaim(values=["a"])}),
        "validate-azure-ad-token required_claims name 1 is not allowed; use text",
    ),
    (lambda: Choose(when=any_type([Base()])), "choose when Base() is not allowed; use When"),
    (lambda: When(condition=True, policies=[any_type("x")]), "when policies 'x' is not allowed; use Policy"),
    (
        lambda: ReturnResponse(status=any_type(403)),
        "return-response status 403 is not allowed; use SetStatus",
    ),
    # text
    (
        lambda: SetVariable(name="a", value="b\x00"),
        "set-variable value contains the character U+0000 at 1, which XML does not allow; remove it",
    ),
    (
        lambda: SetBody(value="\x1b[0m"),
        "set-body value contains the character U+001B at 0, which XML does not allow; remove it",
    ),
    (
        lambda: SetHeader(name="a", values=["ok", "\ud800"]),
        "set-header values contains the character U+D800 at 0, which XML does not allow; remove it",
    ),
    (
        lambda: entra(required_claims={"\uffff": RequiredClaim(values=["a"])}),
        "validate-azure-ad-token required_claims name contains the character U+FFFF at 0, "
        "which XML does not allow; remove it",
    ),
    (
        lambda: SetVariable(name="a", value="@(1"),
        "set-variable value starts a policy expression that does not end; close its bracket at the end",
    ),
    (
        lambda: SetVariable(name="a", value=" @{return 1;} x"),
        "set-variable value starts a policy expression that does not end; close its bracket at the end",
    ),
    *(
        (
            lambda value=value: SetBody(value=value),
            "set-body value has a policy expression within other text; make all of it one expression",
        )
        for value in ("<a>@(1)</a>", "a@{return 1;}")
    ),
    (
        lambda: SetBody(id="@(1)", value="a"),
        "set-body id '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    # set-backend-service
    (
        SetBackendService,
        "set-backend-service backend_id None with base_url None is not allowed; give exactly one of them",
    ),
    (
        lambda: SetBackendService(backend_id="a", base_url="https://b"),
        "set-backend-service backend_id 'a' with base_url 'https://b' is not allowed; give exactly one of them",
    ),
    (lambda: SetBackendService(base_url=""), "set-backend-service base_url '' is empty; give it a value"),
    # set-header, set-query-parameter
    *(
        (
            lambda name=name: SetHeader(name=name, values=["a"]),
            f"set-header name {name!r} is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
        )
        for name in ("", "a b", "a:", "a\r\nb", "naïve", "{{name}}", "a\n")
    ),
    *(
        (
            lambda name=name: SetHeader(name=name, exists_action=ExistsAction.DELETE),
            f"set-header name {name!r} is not allowed; the gateway alone sets this header",
        )
        for name in ("Connection", "content-length", "KEEP-ALIVE", "Transfer-Encoding")
    ),
    *(
        (
            lambda name=name: SetHeader(name=name, exists_action=ExistsAction.DELETE),
            f"set-header name {name!r} with exists_action delete is not allowed; override it instead",
        )
        for name in ("Server", "x-forwarded-for")
    ),
    *(
        (
            lambda value=value: SetHeader(name="x-a", values=["b", value]),
            "set-header values of 'x-a' has a line break; write it on one line",
        )
        for value in ("a\r\nx-b: c", "a\n", "\r")
    ),
    (
        lambda: SetHeader(name="x-a"),
        "set-header 'x-a' has no values; give one, or exists_action=ExistsAction.DELETE to remove it",
    ),
    (
        lambda: SetHeader(name="x-a", values=["b"], exists_action=ExistsAction.DELETE),
        "set-header 'x-a' has values, but its exists_action is delete; remove one of them",
    ),
    (lambda: SetQueryParameter(name=" ", values=["a"]), "set-query-parameter name ' ' is empty; give it a value"),
    (
        lambda: SetQueryParameter(name="q", exists_action=ExistsAction.SKIP),
        "set-query-parameter 'q' has no values; give one, or exists_action=ExistsAction.DELETE to remove it",
    ),
    # the other small ones
    (lambda: SetVariable(name="", value="a"), "set-variable name '' is empty; give it a value"),
    (
        lambda: SetVariable(name="@(1)", value="a"),
        "set-variable name '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    (
        lambda: ReturnResponse(response_variable_name=""),
        "return-response response_variable_name '' is empty; give it a value",
    ),
    (lambda: SetMethod(value="Connect"), "set-method 'Connect' is not allowed; it would open a tunnel to the backend"),
    (lambda: RewriteUri(template="a/b"), "rewrite-uri template 'a/b' is not a path; begin it with /"),
    (lambda: RewriteUri(template="{{a b}}"), "rewrite-uri template '{{a b}}' is not a path; begin it with /"),
    (lambda: RewriteUri(template=""), "rewrite-uri template '' is empty; give it a value"),
    (lambda: Choose(when=[]), "choose when [] is empty; give at least one When"),
    *(
        (
            lambda code=code: SetStatus(code=code),
            f"set-status code {code} is not the status code of a response; use 200 to 599",
        )
        for code in (0, 199, 600)
    ),
    (lambda: SetStatus(code=200, reason="a\r\nb"), "set-status reason has a line break; write it on one line"),
    *(
        (lambda value=value: SetStatus(code=200, reason=value), f"set-status reason holds {code}, {problem}")
        for value, code in (("€", "U+20AC"), ("\x7f", "U+007F"))
        for problem in ("which headers cannot contain; encode it",)
    ),
    (
        lambda: AuthenticationManagedIdentity(resource=""),
        "authentication-managed-identity resource '' is empty; give it a value",
    ),
    *(
        (
            lambda name=name: IncludeFragment(fragment_id=name),
            f"include-fragment fragment_id {name!r} is not a fragment name; "
            "use 1 to 80 letters, digits, underscores and inner hyphens",
        )
        for name in ("", "-a", "a-", "a.b", "@(1)", "{{f}}", "a" * 81, "a\n")
    ),
    *(
        (
            lambda code=code: CheckHeader(name="a", failed_check_httpcode=code),
            f"check-header failed_check_httpcode {code} is not an error status code; use 400 to 599",
        )
        for code in (200, 399, 600)
    ),
    (
        lambda: CheckHeader(name="a b"),
        "check-header name 'a b' is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        lambda: ForwardRequest(timeout=1, timeout_ms=1000),
        "forward-request timeout 1 with timeout_ms 1000 is not allowed; give one of them",
    ),
    *(
        (
            lambda value=value: ForwardRequest(timeout=value),
            f"forward-request timeout {value} is not allowed; use 1 to 2147483647",
        )
        for value in (0, 2**31)
    ),
    # what validates a token
    (
        lambda: RequiredClaim(values=[]),
        "required claim values [] is empty and would accept any value; give at least one value",
    ),
    *(
        (
            lambda value=value: RequiredClaim(values=["a", value], match=ClaimMatch.ANY),
            f"required claim values {value!r} {problem}",
        )
        for value, problem in (
            ("@(context.Api.Name)", "is a policy expression; it decides who is admitted, so give the value itself"),
            ("{{role}}", "has a named value; it decides who is admitted, so give the value itself"),
            ("x-{{role}}", "has a named value; it decides who is admitted, so give the value itself"),
            (" ", "is empty; give it a value"),
            ("a ", "has spaces around it; remove them"),
        )
    ),
    *(
        (
            lambda options=options: entra(**options),
            f"validate-azure-ad-token {name} {value!r} is a policy expression; "
            "it decides who is admitted, so give the value itself",
        )
        for value in ("@(context.Api.Name)", "@{ return 1; }")
        for name, options in (
            ("tenant_id", {"tenant_id": value}),
            ("audiences", {"audiences": [value]}),
            ("client_application_ids", {"client_application_ids": ["a", value]}),
            ("backend_application_ids", {"backend_application_ids": [value]}),
            ("required_claims name", {"required_claims": {value: RequiredClaim(values=["a"])}}),
            ("header_name", {"header_name": value}),
            ("query_parameter_name", {"header_name": None, "query_parameter_name": value}),
            ("require_scheme", {"require_scheme": value}),
        )
    ),
    *(
        (
            lambda options=options: jwt(**options),
            f"validate-jwt {name} '{{{{x}}}}' has a named value; it decides who is admitted, so give the value itself",
        )
        for name, options in (
            ("openid_config_urls", {"openid_config_urls": ["{{x}}"]}),
            ("audiences", {"audiences": ["{{x}}"]}),
            ("issuers", {"issuers": ["{{x}}"]}),
            ("required_claims name", {"required_claims": {"{{x}}": RequiredClaim(values=["a"])}}),
        )
    ),
    (
        lambda: entra(audiences=[]),
        "validate-azure-ad-token would accept every token of tenant 'contoso.com'; "
        "give audiences or client_application_ids",
    ),
    (
        lambda: entra(audiences=[], backend_application_ids=["a"]),
        "validate-azure-ad-token would accept every token of tenant 'contoso.com'; "
        "give audiences or client_application_ids",
    ),
    *(
        (
            lambda tenant=tenant: entra(tenant_id=tenant),
            f"validate-azure-ad-token tenant_id {tenant!r} is not a tenant; use its ID, its domain or "
            "https://login.microsoftonline.com/ with either",
        )
        for tenant in ("a b", "https://login.microsoftonline.us/contoso.com", "contoso.com/v2.0")
    ),
    (
        lambda: entra(header_name=None),
        "validate-azure-ad-token takes the token from nowhere; "
        "give exactly one of header_name, query_parameter_name, token_value and set the others to None",
    ),
    (
        lambda: jwt(query_parameter_name="token"),
        "validate-jwt takes the token from header_name and query_parameter_name; "
        "give exactly one of header_name, query_parameter_name, token_value and set the others to None",
    ),
    (
        lambda: jwt(header_name=None, token_value="eyJhbGciOi"),
        "validate-jwt token_value is not an expression; give one that yields the token, such as @(...)",
    ),
    (
        lambda: jwt(header_name="a b"),
        "validate-jwt header_name 'a b' is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        lambda: jwt(output_token_variable_name=""),
        "validate-jwt output_token_variable_name '' is empty; give it a value",
    ),
    (
        lambda: entra(failed_validation_httpcode=200),
        "validate-azure-ad-token failed_validation_httpcode 200 is not an error status code; use 400 to 599",
    ),
    (
        lambda: entra(failed_validation_httpcode="@(200)"),
        "validate-azure-ad-token failed_validation_httpcode '@(200)' is not allowed; use a whole number",
    ),
    *(
        (
            lambda separator=separator: RequiredClaim(values=["a"], separator=separator),
            f"required claim separator {separator!r} is not allowed; give the character itself, such as ' '",
        )
        for separator in ("", "@(1)")
    ),
    *(
        (
            lambda n=n: IssuerSigningKey(n=n, e="AQAB"),
            "issuer signing key n is not that of an RSA key of 2048 bits or more",
        )
        for n in ("", "AQAB", "_" * 341 + "=", "_" * 337)
    ),
    (
        lambda: IssuerSigningKey(n="_" * 342, e=""),
        "issuer signing key e is not that of an RSA key of 2048 bits or more",
    ),
    (
        lambda: IssuerSigningKey(value="{{key}}", id="@(1)"),
        "issuer signing key id '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    (
        lambda: IssuerSigningKey(value="c2VjcmV0"),
        "issuer signing key value is not a named value; keep it in a secret named value and give {{its-name}}",
    ),
    (
        lambda: IssuerSigningKey(n="AQAB"),
        "issuer signing key has only one of n and e; give both, an RSA public key needs them",
    ),
    (
        lambda: IssuerSigningKey(value="{{key}}", n="AQAB", e="AQAB"),
        "issuer signing key needs either n with e, value or certificate_id; give exactly one of them",
    ),
    (
        lambda: jwt(require_signed_tokens=False),
        "validate-jwt require_signed_tokens False would let anyone write a token; remove it",
    ),
    (
        lambda: jwt(require_signed_tokens="@(false)"),
        "validate-jwt require_signed_tokens '@(false)' is not allowed; use True or False",
    ),
    (
        lambda: jwt(require_expiration_time="@(false)"),
        "validate-jwt require_expiration_time '@(false)' is not allowed; use True or False",
    ),
    (
        lambda: jwt(openid_config_urls=[]),
        "validate-jwt has no signing key; give openid_config_urls or issuer_signing_keys",
    ),
    (
        lambda: jwt(audiences=[]),
        "validate-jwt would accept the issuer's tokens for every service; give audiences or required_claims",
    ),
    *(
        (
            lambda skew=skew: jwt(clock_skew=skew),
            f"validate-jwt clock_skew {skew} is not allowed; use 0 to 300 seconds",
        )
        for skew in (-1, 301)
    ),
    *(
        (
            lambda url=url: jwt(openid_config_urls=[*CONFIG, url]),
            f"validate-jwt openid_config_urls {url!r} is not https; use https (http is for loopback hosts only)",
        )
        for url in ("http://login.example.com", "http://localhost.example.com/a", "http://127.0.0.1.example.com")
    ),
    *(
        (
            lambda url=url: jwt(openid_config_urls=[url]),
            f"validate-jwt openid_config_urls {url!r} is not a URL; use one such as https://login.example.com/path",
        )
        for url in (
            "login.example.com",
            "ftp://login.example.com",
            "https://",
            "https:///path",
            "https://[::1",
            "https://a:99999/",
            "https://a:0/",
            "http://127.0.0.1@login.example.com",
            "http://127.0.0.1\\@login.example.com",
            "https://a b/",
            "https://a/#b",
        )
    ),
    # raw elements
    (
        lambda: RawElement(xml="<trace"),
        "raw element xml is not well-formed: unclosed token: line 1, column 0; correct it",
    ),
    (
        lambda: RawElement(xml=""),
        "raw element xml is not well-formed: no element found: line 1, column 0; correct it",
    ),
    (
        lambda: RawElement(xml="<trace/><base/>"),
        "raw element xml is not well-formed: junk after document element: line 1, column 8; correct it",
    ),
    (
        lambda: RawElement(xml="<trace>&nbsp;</trace>"),
        "raw element xml is not well-formed: undefined entity: line 1, column 7; correct it",
    ),
    (
        lambda: RawElement(xml='<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/passwd">]><trace>&e;</trace>'),
        "raw element xml has the document type 't'; remove it, since entities are not allowed",
    ),
    (
        lambda: RawElement(xml='<trace xmlns="urn:x"/>'),
        "raw element xml has the namespace 'urn:x'; policies have none; remove it",
    ),
    (
        lambda: RawElement(xml="<wait>" * 51 + "</wait>" * 51),
        "raw element xml is nested deeper than 50 elements; make it flatter",
    ),
    (lambda: RawElement(xml="<base/>"), "raw element base has a type; use Base"),
    (lambda: RawElement(xml="<validate-jwt/>"), "raw element validate-jwt has a type; use ValidateJwt"),
    (
        lambda: RawElement(xml="<cache-value><value><validate-azure-ad-token/></value></cache-value>"),
        "raw element cache-value holds validate-azure-ad-token; put ValidateAzureAdToken directly into the section",
    ),
    (
        lambda: RawElement(xml="<cache-value><value><base/></value></cache-value>"),
        "raw element cache-value holds base; put Base directly into the section",
    ),
    (
        lambda: RawElement(xml="<rate-limt/>"),
        "raw element rate-limt is not a policy known here; check its name, or give its sections",
    ),
    (
        lambda: RawElement(xml="<cache-value><value><choose><when><rate-limt/></when></choose></value></cache-value>"),
        "raw element rate-limt is not a policy known here; check its name, or give its sections",
    ),
    (
        lambda: RawElement(xml="<new-policy/>", sections=[]),
        "raw element new-policy has no sections; name at least one, or omit sections",
    ),
]

DOCUMENTS: list[tuple[Callable[[], object], str]] = [
    (
        lambda: Document(inbound=[any_type("<base/>")]),
        "inbound holds str; it takes policies, such as SetHeader or RawElement",
    ),
    (
        lambda: Document(outbound=any_type("x")),
        "outbound holds str; it takes policies, such as SetHeader or RawElement",
    ),
    (
        lambda: Document(outbound=[SetBackendService(backend_id="b")]),
        "set-backend-service is not allowed in outbound; put it into inbound or backend",
    ),
    (
        lambda: Document(on_error=[AuthenticationManagedIdentity()]),
        "authentication-managed-identity is not allowed in on-error; put it into inbound or outbound",
    ),
    (
        lambda: Document(outbound=[Choose(when=[When(condition=True)], otherwise=[CheckHeader(name="a")])]),
        "check-header is not allowed in outbound; put it into inbound",
    ),
    (
        lambda: Document(inbound=[Choose(when=[When(condition=True, policies=[ForwardRequest()])])]),
        "forward-request is not allowed in inbound; put it into backend",
    ),
    (
        lambda: Document(inbound=[RawElement(xml="<jsonp callback-parameter-name='c'/>")]),
        "jsonp is not allowed in inbound; put it into outbound",
    ),
    (
        lambda: Document(
            inbound=[RawElement(xml="<cache-value><value><wait><forward-request/></wait></value></cache-value>")]
        ),
        "forward-request is not allowed in inbound; put it into backend",
    ),
    (
        lambda: Document(inbound=[RawElement(xml="<new-policy/>", sections=[Section.OUTBOUND, Section.ON_ERROR])]),
        "new-policy is not allowed in inbound; put it into outbound or on-error",
    ),
    (
        lambda: Document(outbound=[Base(), SetVariable(name="a", value=""), Base()]),
        "outbound has more than one base; the parent's policies run once; remove the others",
    ),
    (
        lambda: Document(inbound=[Choose(when=[When(condition=True, policies=[Base()])])]),
        "base is not allowed inside choose; put it directly into inbound",
    ),
    (
        lambda: Document(inbound=[Choose(when=[When(condition=True, policies=[jwt()])])]),
        "validate-jwt is not allowed inside choose; put it directly into inbound",
    ),
    (
        lambda: Document(inbound=[Base(), SetHeader(name="a", values=["b"]), RewriteUri(template="/"), entra()]),
        "validate-azure-ad-token comes after set-header; put it before every policy but base, cors and ip-filter",
    ),
    (
        lambda: Document(inbound=[entra(), Trace(source="a", message="b"), Base(), jwt()]),
        "validate-jwt comes after trace; put it before every policy but base, cors and ip-filter",
    ),
    (
        lambda: Document(backend=[Base(), ForwardRequest()]),
        "backend has 2 policies; it takes exactly one, such as Base or Choose",
    ),
    (
        lambda: Document(backend=[]),
        "backend has 0 policies; it takes exactly one, such as Base or Choose",
    ),
]


@pytest.mark.parametrize(
    ("make", "message"), [pytest.param(*case, id=ascii(case[1])[1:90]) for case in (*OPTIONS, *DOCUMENTS)]
)
def test_it_is_refused_with_this_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        make()

    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/a", "http://127.0.0.1/a", "http://[::1]:80/", "https://a/b?c=d"]
)
def test_openid_configuration_may_be_on_https_or_on_loopback(url: str) -> None:
    assert jwt(openid_config_urls=[url]).openid_config_urls == [url]


def test_two_token_validations_may_follow_each_other() -> None:
    document = Document(inbound=[Base(), entra(), jwt(header_name="X-User-Token", require_scheme=None)])

    assert document.render().index("<validate-azure-ad-token") < document.render().index("<validate-jwt")


def test_many_entities_are_refused_before_they_expand() -> None:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    with pytest.raises(PolicyError, match="document type"):
        RawElement(xml=f"<!DOCTYPE t [{entities}]><trace>&i;</trace>")


@pytest.mark.parametrize(("sku", "limit"), [(None, 256), ("Developer", 256), ("StandardV2", 256), ("Consumption", 16)])
def test_document_may_fill_the_limit_but_not_exceed_it(sku: str | None, limit: int) -> None:
    def document(size: int) -> Document:
        return Document(outbound=[SetBody(value="é" * (size // 2) + "x" * (size % 2))])

    room = limit * 1024 - len(document(0).render().replace("<set-body />", "<set-body></set-body>").encode())

    assert len(document(room).render(sku).encode()) == limit * 1024
    with pytest.raises(PolicyError) as refusal:
        document(room + 1).render(sku)
    assert str(refusal.value) == (
        f"policy document has {limit * 1024 + 1} bytes; the limit{f' for {sku}' if sku else ''} is {limit} KiB; "
        "move parts to fragments"
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: SetHeader(name="a", values=any_type("s3cret")), id="text in place of a list"),
        pytest.param(lambda: SetHeader(name="a", values=["s3cret\n"]), id="line break"),
        pytest.param(lambda: SetHeader(name="a", values=["s3cret\x00"]), id="character"),
        pytest.param(lambda: IssuerSigningKey(value="s3cret"), id="signing key"),
        pytest.param(lambda: jwt(header_name=None, token_value="s3cret"), id="token"),
        pytest.param(lambda: RawElement(xml="<trace>s3cret"), id="XML"),
    ],
)
def test_message_does_not_repeat_what_may_be_secret(make: Callable[[], object]) -> None:
    with pytest.raises(PolicyError) as refusal:
        make()

    assert "s3cret" not in str(refusal.value)
    assert "s3cret" not in str(refusal.value.__cause__)


def test_key_is_not_in_the_representation_of_its_policy() -> None:
    key = IssuerSigningKey(value="{{shared-secret}}")

    assert "shared-secret" not in repr(jwt(issuer_signing_keys=[key]))
