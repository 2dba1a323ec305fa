"""What no policy can say, and the message that tells so."""

from collections.abc import Callable

import pytest

from policies import (
    AuthenticationManagedIdentity,
    Base,
    CheckHeader,
    Choose,
    ClaimMatch,
    DecryptionKey,
    Dimension,
    Document,
    ForwardRequest,
    HarmCategory,
    IssuerSigningKey,
    LlmContentSafety,
    PolicyError,
    RawElement,
    RequiredClaim,
    RewriteUri,
    SafetyCategory,
    Section,
    SendRequest,
    SetBackendService,
    SetBody,
    SetHeader,
    SetMethod,
    SetVariable,
    Trace,
    ValidateAzureAdToken,
    When,
)
from tests.policies.records import RECORDS
from tests.policies.records.validate_azure_ad_token import entra
from tests.policies.records.validate_jwt import jwt
from tests.policies.values import any_type

SHARED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: RequiredClaim(values=["a"], match=any_type("any")),
        "required claim match 'any' is not allowed; use ClaimMatch.ALL or ClaimMatch.ANY",
    ),
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
            lambda separator=separator: RequiredClaim(values=["a"], separator=separator),
            f"required claim separator {separator!r} is not allowed; give the character itself, such as ' '",
        )
        for separator in ("", "@(1)")
    ),
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
    (
        lambda: Dimension(name="Caller"),
        "dimension 'Caller' has no value; give one, or use one of API ID, Backend ID, Gateway ID, Location, "
        "Operation ID, Product ID, Subscription ID, User ID",
    ),
    (lambda: Dimension(name="", value="a"), "dimension name '' is empty; give it a value"),
    (
        lambda: ValidateAzureAdToken(
            tenant_id="a", audiences=["b"], decryption_keys=[DecryptionKey(certificate_id="{{a}}")]
        ),
        "decryption key certificate_id '{{a}}' has a named value; it decides who is admitted, so give the value itself",
    ),
]
"""Parts that several policies have, and raw elements."""

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
        "validate-jwt inside choose could be passed by; put it directly into inbound, or begin each when of a choose "
        "there with a single validation and otherwise with return-response",
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


REFUSED = [*(case for record in RECORDS.values() for case in record.refuses), *SHARED, *DOCUMENTS]


@pytest.mark.parametrize(("make", "message"), [pytest.param(*case, id=ascii(case[1])[1:90]) for case in REFUSED])
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


def test_threshold_of_an_expression_for_levels_may_be_the_highest() -> None:
    category = SafetyCategory(name=HarmCategory.HATE, threshold=7)
    policy = LlmContentSafety(backend_id="b", categories=[category], output_type="@(context.Api.Name)")

    assert policy.categories == [category]


def test_window_of_an_expression_leaves_the_overlap_to_the_gateway() -> None:
    policy = LlmContentSafety(backend_id="b", shield_prompt=True, window_size="{{window}}", window_overlap_size=10**6)

    assert policy.window_overlap_size == 10**6


def test_token_may_be_sent_in_the_clear_on_loopback_only() -> None:
    identity = AuthenticationManagedIdentity(output_token_variable_name=None)
    url, method = "http://127.0.0.1:8080/", SetMethod(value="GET")

    assert SendRequest(response_variable_name="r", url=url, method=method, identity=identity).identity == identity
