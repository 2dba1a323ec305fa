from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import UNAUTHORIZED, ClaimMatch, DecryptionKey, RequiredClaim, ValidateAzureAdToken
from tests.policies.reader import read_texts, read_token
from tests.policies.record import Record
from tests.policies.values import TOKEN_PLACES, few, flags, maybe, options, some, token_options, token_places, urls


@st.composite
def validate_azure_ad_token(draw: st.DrawFn) -> ValidateAzureAdToken:
    needed = draw(st.sampled_from(["audiences", "client_application_ids"]))
    accepted = {"audiences": few, "client_application_ids": few, "backend_application_ids": few, needed: some}
    strategy = options(
        ValidateAzureAdToken,
        **draw(st.sampled_from(token_places)),
        **token_options,
        **accepted,
        authentication_endpoint=maybe(urls),
        allow_protected_forwarded_tokens=maybe(flags),
        allow_proof_of_possession_tokens=maybe(flags),
        tenant_id=st.sampled_from(["contoso.com", "common", "https://login.microsoftonline.com/a-b/"]),
    )
    policy: ValidateAzureAdToken = draw(strategy)
    return policy


TENANT = "11111111-1111-4111-8111-111111111111"

REFUSAL = f'failed-validation-httpcode="401" failed-validation-error-message="{UNAUTHORIZED}"'

CLIENT = "22222222-2222-4222-8222-222222222222"


def entra(**options: Any) -> ValidateAzureAdToken:
    return ValidateAzureAdToken(**{"tenant_id": "contoso.com", "audiences": ["api"], **options})


def _children(element: ET.Element) -> dict[str, Any]:
    return {
        **read_token(element),
        "client_application_ids": read_texts(element.find("client-application-ids"), "application-id"),
        "backend_application_ids": read_texts(element.find("backend-application-ids"), "application-id"),
    }


RECORD = Record(
    ValidateAzureAdToken,
    examples=(*(ValidateAzureAdToken(tenant_id="contoso.com", audiences=["a"], **place) for place in TOKEN_PLACES),),
    drawn=validate_azure_ad_token(),
    renders={
        "validate-azure-ad-token is the article's by default": (
            ValidateAzureAdToken(tenant_id=TENANT, client_application_ids=[CLIENT]),
            f"""
        <validate-azure-ad-token header-name="Authorization" {REFUSAL} tenant-id="{TENANT}">
            <client-application-ids>
                <application-id>{CLIENT}</application-id>
            </client-application-ids>
        </validate-azure-ad-token>
        """,
        ),
        "validate-azure-ad-token takes every option in the schema's order": (
            ValidateAzureAdToken(
                id="e",
                tenant_id="contoso.onmicrosoft.com",
                audiences=["api://a", "api://b"],
                client_application_ids=[CLIENT],
                backend_application_ids=[TENANT],
                required_claims={
                    "scp": RequiredClaim(values=["access", "read"], match=ClaimMatch.ANY, separator=" "),
                    "tid": RequiredClaim(values=[TENANT]),
                },
                header_name=None,
                query_parameter_name="token",
                require_scheme="Bearer",
                failed_validation_httpcode=403,
                failed_validation_error_message=None,
                output_token_variable_name="jwt",
            ),
            f"""
        <validate-azure-ad-token id="e" query-parameter-name="token" require-scheme="Bearer" \
failed-validation-httpcode="403" output-token-variable-name="jwt" tenant-id="contoso.onmicrosoft.com">
            <backend-application-ids>
                <application-id>{TENANT}</application-id>
            </backend-application-ids>
            <client-application-ids>
                <application-id>{CLIENT}</application-id>
            </client-application-ids>
            <audiences>
                <audience>api://a</audience>
                <audience>api://b</audience>
            </audiences>
            <required-claims>
                <claim name="scp" match="any" separator=" ">
                    <value>access</value>
                    <value>read</value>
                </claim>
                <claim name="tid">
                    <value>{TENANT}</value>
                </claim>
            </required-claims>
        </validate-azure-ad-token>
        """,
        ),
        "validate-azure-ad-token of another cloud with encrypted tokens": (
            ValidateAzureAdToken(
                tenant_id="contoso.com",
                audiences=["a"],
                authentication_endpoint="https://login.microsoftonline.us",
                decryption_keys=[DecryptionKey(certificate_id="tokens", id="k")],
                failed_validation_error_message=None,
            ),
            """
        <validate-azure-ad-token header-name="Authorization" failed-validation-httpcode="401" \
tenant-id="contoso.com" authentication-endpoint="https://login.microsoftonline.us">
            <audiences>
                <audience>a</audience>
            </audiences>
            <decryption-keys>
                <key certificate-id="tokens" id="k" />
            </decryption-keys>
        </validate-azure-ad-token>
        """,
        ),
    },
    refuses=(
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
        (
            lambda: entra(required_claims={"\uffff": RequiredClaim(values=["a"])}),
            "validate-azure-ad-token required_claims name contains the character U+FFFF at 0, "
            "which XML does not allow; remove it",
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
            lambda: entra(failed_validation_httpcode=200),
            "validate-azure-ad-token failed_validation_httpcode 200 is not an error status code; use 400 to 599",
        ),
        (
            lambda: entra(failed_validation_httpcode="@(200)"),
            "validate-azure-ad-token failed_validation_httpcode '@(200)' is not allowed; use a whole number",
        ),
        (
            lambda: ValidateAzureAdToken(tenant_id="a", audiences=["b"], authentication_endpoint="http://a.example"),
            "validate-azure-ad-token authentication_endpoint 'http://a.example' is not https; "
            "use https (http is for loopback hosts only)",
        ),
    ),
    children=_children,
)
