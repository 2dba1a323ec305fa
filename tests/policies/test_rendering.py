"""What each policy looks like as XML."""

import pytest

from policies import (
    BACKEND_ID,
    BEARER_TOKEN,
    NAMED_VALUE,
    UNAUTHORIZED,
    AuthenticationManagedIdentity,
    Base,
    CheckHeader,
    Choose,
    ClaimMatch,
    Document,
    ExistsAction,
    ForwardRequest,
    HttpVersion,
    IncludeFragment,
    IssuerSigningKey,
    Policy,
    RawElement,
    RequiredClaim,
    ReturnResponse,
    RewriteUri,
    Section,
    SetBackendService,
    SetBody,
    SetHeader,
    SetQueryParameter,
    SetStatus,
    SetVariable,
    ValidateAzureAdToken,
    ValidateJwt,
    When,
)
from tests.policies.rendered import check_rendering

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
REFUSAL = f'failed-validation-httpcode="401" failed-validation-error-message="{UNAUTHORIZED}"'
MODULUS = "_" * 342
CONFIG = "https://login.example.com/.well-known/openid-configuration"

INBOUND = [
    pytest.param(Base(), "<base />", id="base runs the parent's policies"),
    pytest.param(
        SetBackendService(backend_id=BACKEND_ID),
        '<set-backend-service backend-id="openai-backend" />',
        id="set-backend-service names the article's backend",
    ),
    pytest.param(
        SetBackendService(id="x", base_url="https://a.example/openai?b=1&c=2"),
        '<set-backend-service id="x" base-url="https://a.example/openai?b=1&amp;c=2" />',
        id="set-backend-service names a URL",
    ),
    pytest.param(
        SetHeader(name="Authorization", exists_action=ExistsAction.OVERRIDE, values=[BEARER_TOKEN]),
        """
        <set-header name="Authorization" exists-action="override">
            <value>@("Bearer " + (string)context.Variables["managed-id-access-token"])</value>
        </set-header>
        """,
        id="set-header presents the managed identity's token as the article does",
    ),
    pytest.param(
        SetHeader(name="api-key", values=[f"{{{{{NAMED_VALUE}}}}}", "a < b & c > d"]),
        """
        <set-header name="api-key">
            <value>{{openai-api-key}}</value>
            <value>a &lt; b &amp; c &gt; d</value>
        </set-header>
        """,
        id="set-header takes named values and escapes literal ones",
    ),
    pytest.param(
        SetHeader(id="strip", name="api-key", exists_action=ExistsAction.DELETE),
        '<set-header id="strip" name="api-key" exists-action="delete" />',
        id="set-header deletes a header",
    ),
    pytest.param(
        SetHeader(name='@("x-" + context.Api.Name)', exists_action="@(context.Api.Name)", values=[]),
        '<set-header name="@(&quot;x-&quot; + context.Api.Name)" exists-action="@(context.Api.Name)" />',
        id="set-header takes its name and action from expressions",
    ),
    pytest.param(
        SetVariable(id="v", name="count", value="@{\n\treturn 1;\n}"),
        '<set-variable id="v" name="count" value="@{&#10;&#09;return 1;&#10;}" />',
        id="set-variable keeps the lines of an expression",
    ),
    pytest.param(
        SetQueryParameter(id="q", name="api-version", exists_action=ExistsAction.SKIP, values=["2024-10-21"]),
        """
        <set-query-parameter id="q" name="api-version" exists-action="skip">
            <value>2024-10-21</value>
        </set-query-parameter>
        """,
        id="set-query-parameter adds what is missing",
    ),
    pytest.param(
        RewriteUri(id="r", template="/deployments/{id}?a=1&b=2", copy_unmatched_params=False),
        '<rewrite-uri id="r" template="/deployments/{id}?a=1&amp;b=2" copy-unmatched-params="false" />',
        id="rewrite-uri drops other parameters",
    ),
    pytest.param(
        Choose(
            id="c",
            when=[
                When(condition='@(context.Api.Name == "a")', policies=[SetVariable(name="a", value="1")]),
                When(condition=False, policies=[]),
            ],
            otherwise=[Choose(when=[When(condition=True, policies=[IncludeFragment(fragment_id="f")])])],
        ),
        """
        <choose id="c">
            <when condition="@(context.Api.Name == &quot;a&quot;)">
                <set-variable name="a" value="1" />
            </when>
            <when condition="false" />
            <otherwise>
                <choose>
                    <when condition="true">
                        <include-fragment fragment-id="f" />
                    </when>
                </choose>
            </otherwise>
        </choose>
        """,
        id="choose keeps the order of its conditions and nests",
    ),
    pytest.param(
        ReturnResponse(
            id="done",
            response_variable_name="reply",
            status=SetStatus(code=403, reason="Forbidden"),
            headers=[SetHeader(name="x-a", values=["1"]), SetHeader(name="x-b", values=["2"])],
            body=SetBody(value='{"error": true}'),
        ),
        """
        <return-response id="done" response-variable-name="reply">
            <set-status code="403" reason="Forbidden" />
            <set-header name="x-a">
                <value>1</value>
            </set-header>
            <set-header name="x-b">
                <value>2</value>
            </set-header>
            <set-body>{"error": true}</set-body>
        </return-response>
        """,
        id="return-response puts status, headers and body into the schema's order",
    ),
    pytest.param(ReturnResponse(), "<return-response />", id="return-response needs no options"),
    pytest.param(
        SetStatus(id="s", code="@(context.Response.StatusCode)"),
        '<set-status id="s" code="@(context.Response.StatusCode)" />',
        id="set-status takes an expression",
    ),
    pytest.param(
        SetBody(
            id="b",
            value="  {{body.a}}\r\n<x> ]]>\t",
        ),
        '<set-body id="b">  {{body.a}}&#13;\n&lt;x&gt; ]]&gt;\t</set-body>',
        id="set-body keeps every character of a text",
    ),
    pytest.param(
        AuthenticationManagedIdentity(),
        '<authentication-managed-identity resource="https://cognitiveservices.azure.com" '
        'output-token-variable-name="managed-id-access-token" ignore-error="false" />',
        id="authentication-managed-identity is the article's by default",
    ),
    pytest.param(
        AuthenticationManagedIdentity(
            id="m", resource="api://x", client_id=CLIENT, output_token_variable_name=None, ignore_error=None
        ),
        f'<authentication-managed-identity id="m" resource="api://x" client-id="{CLIENT}" />',
        id="authentication-managed-identity uses a user-assigned identity and sets the header itself",
    ),
    pytest.param(
        ValidateAzureAdToken(tenant_id=TENANT, client_application_ids=[CLIENT]),
        f"""
        <validate-azure-ad-token header-name="Authorization" {REFUSAL} tenant-id="{TENANT}">
            <client-application-ids>
                <application-id>{CLIENT}</application-id>
            </client-application-ids>
        </validate-azure-ad-token>
        """,
        id="validate-azure-ad-token is the article's by default",
    ),
    pytest.param(
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
        id="validate-azure-ad-token takes every option in the schema's order",
    ),
    pytest.param(
        ValidateJwt(openid_config_urls=[CONFIG], audiences=["api"]),
        f"""
        <validate-jwt header-name="Authorization" require-scheme="Bearer" {REFUSAL}>
            <openid-config url="{CONFIG}" />
            <audiences>
                <audience>api</audience>
            </audiences>
        </validate-jwt>
        """,
        id="validate-jwt takes its keys from OpenID configuration",
    ),
    pytest.param(
        ValidateJwt(
            id="j",
            openid_config_urls=[CONFIG, "http://127.0.0.1:8080/config"],
            issuer_signing_keys=[
                IssuerSigningKey(value="{{other-secret}}", id="k1"),
                IssuerSigningKey(n=MODULUS, e="AQAB"),
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
                <key n="{MODULUS}" e="AQAB" />
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
        id="validate-jwt takes every option in the schema's order",
    ),
    pytest.param(
        CheckHeader(
            id="h",
            name="X-Azure-FDID",
            values=["{{front-door-id}}", "b"],
            failed_check_httpcode=403,
            failed_check_error_message='Not "through" Front Door',
            ignore_case=True,
        ),
        """
        <check-header id="h" name="X-Azure-FDID" failed-check-httpcode="403" \
failed-check-error-message="Not &quot;through&quot; Front Door" ignore-case="true">
            <value>{{front-door-id}}</value>
            <value>b</value>
        </check-header>
        """,
        id="check-header takes every option",
    ),
    pytest.param(
        CheckHeader(name="X-Here"),
        '<check-header name="X-Here" failed-check-httpcode="401" ignore-case="false" />',
        id="check-header demands that a header is there",
    ),
    pytest.param(
        IncludeFragment(id="i", fragment_id="strip_credentials-1"),
        '<include-fragment id="i" fragment-id="strip_credentials-1" />',
        id="include-fragment names a fragment",
    ),
    pytest.param(
        RawElement(xml='<?xml version="1.0"?><!-- note --><publish-to-dapr topic="a&#10;b">x &lt; y</publish-to-dapr>'),
        '<publish-to-dapr topic="a&#10;b">x &lt; y</publish-to-dapr>',
        id="a raw element is parsed and written anew",
    ),
    pytest.param(
        RawElement(
            xml='<publish-to-dapr topic="a" timeout="9">  '
            "<one>https://a.example</one><two>a <b/> \r\n&#13;</two>\n</publish-to-dapr>"
        ),
        '<publish-to-dapr topic="a" timeout="9">  '
        "<one>https://a.example</one><two>a <b /> \n&#13;</two>\n</publish-to-dapr>",
        id="a raw element keeps its white space",
    ),
]

BACKEND = [
    pytest.param(ForwardRequest(), "<forward-request />", id="forward-request needs no options"),
    pytest.param(
        ForwardRequest(
            id="f",
            timeout_ms=1500,
            http_version=HttpVersion.HTTP_2_OR_1,
            buffer_request_body=True,
            buffer_response=False,
            fail_on_error_status_code=True,
        ),
        '<forward-request id="f" timeout-ms="1500" http-version="2or1" '
        'buffer-request-body="true" buffer-response="false" '
        'fail-on-error-status-code="true" />',
        id="forward-request takes every option",
    ),
    pytest.param(
        ForwardRequest(timeout="@(context.Request.Body == null ? 10 : 100)"),
        '<forward-request timeout="@(context.Request.Body == null ? 10 : 100)" />',
        id="forward-request takes expressions",
    ),
    pytest.param(ForwardRequest(timeout="{{timeout}}"), '<forward-request timeout="{{timeout}}" />', id="named value"),
]


@pytest.mark.parametrize(("policy", "expected"), INBOUND)
def test_policy_of_the_request_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.INBOUND)


@pytest.mark.parametrize(("policy", "expected"), BACKEND)
def test_policy_of_the_backend_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.BACKEND)


def test_document_without_options_runs_the_parents_policies() -> None:
    rendered = Document().render()

    sections = ("inbound", "backend", "outbound", "on-error")
    body = "".join(f"    <{name}>\n        <base />\n    </{name}>\n" for name in sections)
    assert rendered == f"<policies>\n{body}</policies>\n"


def test_empty_section_runs_nothing() -> None:
    rendered = Document(inbound=[], outbound=(), on_error=[]).render()

    assert [line.strip() for line in rendered.splitlines()] == [
        "<policies>",
        "<inbound />",
        "<backend>",
        "<base />",
        "</backend>",
        "<outbound />",
        "<on-error />",
        "</policies>",
    ]
