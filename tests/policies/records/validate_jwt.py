from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import UNAUTHORIZED, ClaimMatch, IssuerSigningKey, RequiredClaim, ValidateJwt
from tests.policies.reader import attributes, read_texts, read_token
from tests.policies.record import Record
from tests.policies.values import (
    MODULUS,
    SECRET,
    TOKEN_PLACES,
    few,
    flags,
    maybe,
    named_values,
    options,
    plain,
    some,
    token_options,
    token_places,
    urls,
)

moduli = st.text("abcXYZ019-_", min_size=340, max_size=344).map("_".__add__).filter(lambda text: len(text) % 4 != 1)

signing_keys = st.one_of(
    st.builds(IssuerSigningKey, n=moduli, e=st.just("AQAB"), id=maybe(plain)),
    st.builds(IssuerSigningKey, value=named_values, id=maybe(plain)),
    st.builds(IssuerSigningKey, certificate_id=plain, id=maybe(plain)),
)


@st.composite
def validate_jwt(draw: st.DrawFn) -> ValidateJwt:
    strategy = options(
        ValidateJwt,
        **draw(st.sampled_from(token_places)),
        **token_options,
        audiences=some,
        require_expiration_time=maybe(flags),
        require_signed_tokens=maybe(st.just(True)),
        clock_skew=maybe(st.integers(0, 300)),
        openid_config_urls=st.lists(urls, min_size=1, max_size=2),
        issuer_signing_keys=st.lists(signing_keys, max_size=2),
        issuers=few,
    )
    policy: ValidateJwt = draw(strategy)
    return policy


REFUSAL = f'failed-validation-httpcode="401" failed-validation-error-message="{UNAUTHORIZED}"'

CONFIG = "https://login.example.com/.well-known/openid-configuration"

KEY_MODULUS = "_" * 342

CONFIGS = ["https://login.example.com/config"]


def jwt(**options: Any) -> ValidateJwt:
    return ValidateJwt(**{"openid_config_urls": CONFIGS, "audiences": ["api"], **options})


def _children(element: ET.Element) -> dict[str, Any]:
    return {
        **read_token(element),
        "issuers": read_texts(element.find("issuers"), "issuer"),
        "openid_config_urls": [config.attrib["url"] for config in element.findall("openid-config")],
        "issuer_signing_keys": [
            IssuerSigningKey(**{**attributes(IssuerSigningKey, key), "value": key.text})
            for key in element.iterfind("issuer-signing-keys/key")
        ],
    }


RECORD = Record(
    ValidateJwt,
    examples=(
        IssuerSigningKey(n=MODULUS, e="AQAB"),
        IssuerSigningKey(value=f"{{{{{SECRET}}}}}"),
        IssuerSigningKey(certificate_id="a"),
        *(ValidateJwt(openid_config_urls=["https://a.example"], audiences=["a"], **place) for place in TOKEN_PLACES),
    ),
    drawn=validate_jwt(),
    renders={
        "validate-jwt takes its keys from OpenID configuration": (
            ValidateJwt(openid_config_urls=[CONFIG], audiences=["api"]),
            f"""
        <validate-jwt header-name="Authorization" require-scheme="Bearer" {REFUSAL}>
            <openid-config url="{CONFIG}" />
            <audiences>
                <audience>api</audience>
            </audiences>
        </validate-jwt>
        """,
        ),
        "validate-jwt takes every option in the schema's order": (
            ValidateJwt(
                id="j",
                openid_config_urls=[CONFIG, "http://127.0.0.1:8080/config"],
                issuer_signing_keys=[
                    IssuerSigningKey(value="{{other-secret}}", id="k1"),
                    IssuerSigningKey(n=KEY_MODULUS, e="AQAB"),
                    IssuerSigningKey(value="{{shared-secret}}"),
                ],
                audiences=["api"],
                issuers=["https://login.example.com/"],
                required_claims={"role": RequiredClaim(values=["a"], match=ClaimMatch.ALL)},
                header_name=None,
                token_value='@((string)context.Variables["t"])',
                require_scheme=None,
                require_expiration_time=True,
                require_signed_tokens=True,
                clock_skew=60,
                output_token_variable_name="jwt",
            ),
            f"""
        <validate-jwt id="j" token-value="@((string)context.Variables[&quot;t&quot;])" {REFUSAL} \
output-token-variable-name="jwt" require-expiration-time="true" require-signed-tokens="true" clock-skew="60">
            <openid-config url="{CONFIG}" />
            <openid-config url="http://127.0.0.1:8080/config" />
            <issuer-signing-keys>
                <key id="k1">{{{{other-secret}}}}</key>
                <key n="{KEY_MODULUS}" e="AQAB" />
                <key>{{{{shared-secret}}}}</key>
            </issuer-signing-keys>
            <audiences>
                <audience>api</audience>
            </audiences>
            <issuers>
                <issuer>https://login.example.com/</issuer>
            </issuers>
            <required-claims>
                <claim name="role" match="all">
                    <value>a</value>
                </claim>
            </required-claims>
        </validate-jwt>
        """,
        ),
    },
    refuses=(
        *(
            (
                lambda options=options: jwt(**options),
                f"validate-jwt {name} '{{{{x}}}}' has a named value; "
                "it decides who is admitted, so give the value itself",
            )
            for name, options in (
                ("openid_config_urls", {"openid_config_urls": ["{{x}}"]}),
                ("audiences", {"audiences": ["{{x}}"]}),
                ("issuers", {"issuers": ["{{x}}"]}),
                ("required_claims name", {"required_claims": {"{{x}}": RequiredClaim(values=["a"])}}),
            )
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
                lambda url=url: jwt(openid_config_urls=[*CONFIGS, url]),
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
    ),
    children=_children,
)
