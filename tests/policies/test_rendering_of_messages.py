"""What each policy about callers, requests of the gateway's own, flow, caches and validation looks like as XML."""

import pytest

from policies import (
    AddressRange,
    AuthenticationBasic,
    AuthenticationCertificate,
    AuthenticationManagedIdentity,
    CacheLookup,
    CacheLookupValue,
    CacheRemoveValue,
    CacheStoreValue,
    CachingType,
    CertificateIdentity,
    Choose,
    ContentFormat,
    ContentTypeMap,
    ContentTypeMapping,
    Cors,
    DecryptionKey,
    DownstreamCachingType,
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
    Policy,
    Proxy,
    RawElement,
    ReplicaType,
    RequestMode,
    Retry,
    Section,
    SendOneWayRequest,
    SendRequest,
    SetBackendService,
    SetBody,
    SetHeader,
    SetMethod,
    Template,
    ValidateAzureAdToken,
    ValidateClientCertificate,
    ValidateContent,
    ValidatedContent,
    ValidateHeaders,
    ValidateParameters,
    ValidateStatusCode,
    ValidationAction,
    Wait,
    WaitFor,
    When,
    XsiNil,
)
from tests.policies.rendered import check_rendering

IGNORE, PREVENT, DETECT = ValidationAction.IGNORE, ValidationAction.PREVENT, ValidationAction.DETECT
POST = SetMethod(value="POST")

INBOUND = [
    pytest.param(
        Cors(allowed_origins=["*"], allowed_headers=["*"]),
        """
        <cors>
            <allowed-origins>
                <origin>*</origin>
            </allowed-origins>
            <allowed-headers>
                <header>*</header>
            </allowed-headers>
        </cors>
        """,
        id="cors lets pages of any origin call",
    ),
    pytest.param(
        Cors(
            id="c",
            allow_credentials=True,
            terminate_unmatched_request=False,
            allowed_origins=["http://localhost:8080/", "https://a.example", "{{portal}}"],
            allowed_methods=["GET", "@(context.Request.Method)"],
            preflight_result_max_age=300,
            allowed_headers=["content-type"],
            expose_headers=["x-a", "x-b"],
        ),
        """
        <cors id="c" allow-credentials="true" terminate-unmatched-request="false">
            <allowed-origins>
                <origin>http://localhost:8080/</origin>
                <origin>https://a.example</origin>
                <origin>{{portal}}</origin>
            </allowed-origins>
            <allowed-methods preflight-result-max-age="300">
                <method>GET</method>
                <method>@(context.Request.Method)</method>
            </allowed-methods>
            <allowed-headers>
                <header>content-type</header>
            </allowed-headers>
            <expose-headers>
                <header>x-a</header>
                <header>x-b</header>
            </expose-headers>
        </cors>
        """,
        id="cors takes every option",
    ),
    pytest.param(
        IpFilter(
            id="i",
            action=IpFilterAction.ALLOW,
            addresses=["13.66.201.169", "@(context.Request.IpAddress)"],
            address_ranges=[
                AddressRange(from_="13.66.140.128", to="13.66.140.143"),
                AddressRange(from_="{{low}}", to="{{high}}"),
            ],
        ),
        """
        <ip-filter id="i" action="allow">
            <address>13.66.201.169</address>
            <address>@(context.Request.IpAddress)</address>
            <address-range from="13.66.140.128" to="13.66.140.143" />
            <address-range from="{{low}}" to="{{high}}" />
        </ip-filter>
        """,
        id="ip-filter takes every option",
    ),
    pytest.param(
        AuthenticationCertificate(certificate_id="backend"),
        '<authentication-certificate certificate-id="backend" />',
        id="authentication-certificate names a certificate of the service",
    ),
    pytest.param(
        AuthenticationCertificate(
            body='@(context.Variables.GetValueOrDefault<byte[]>("c"))', password="{{certificate-password}}"
        ),
        '<authentication-certificate body="@(context.Variables.GetValueOrDefault&lt;byte[]&gt;(&quot;c&quot;))" '
        'password="{{certificate-password}}" />',
        id="authentication-certificate has a certificate of its own",
    ),
    pytest.param(
        Proxy(url="http://proxy.contoso.com:8080", username="me", password="{{proxy-password}}"),
        '<proxy url="http://proxy.contoso.com:8080" username="me" password="{{proxy-password}}" />',
        id="proxy takes every option",
    ),
    pytest.param(
        GetAuthorizationContext(
            provider_id="github",
            authorization_id="bot",
            context_variable_name="auth",
            identity_type=IdentityType.JWT,
            identity='@(context.Request.Headers.GetValueOrDefault("Authorization"))',
            ignore_error=False,
        ),
        '<get-authorization-context provider-id="github" authorization-id="bot" context-variable-name="auth" '
        'identity-type="jwt" identity="@(context.Request.Headers.GetValueOrDefault(&quot;Authorization&quot;))" '
        'ignore-error="false" />',
        id="get-authorization-context takes every option",
    ),
    pytest.param(
        ValidateClientCertificate(
            validate_revocation=False,
            identities=[
                CertificateIdentity(thumbprint="ABC", issuer_certificate_id="root"),
                CertificateIdentity(dns_name="caller.contoso.com"),
            ],
        ),
        """
        <validate-client-certificate validate-revocation="false">
            <identities>
                <identity thumbprint="ABC" issuer-certificate-id="root" />
                <identity dns-name="caller.contoso.com" />
            </identities>
        </validate-client-certificate>
        """,
        id="validate-client-certificate names whom it accepts",
    ),
    pytest.param(
        SetBody(value="<a>{{ body.name }}</a>", template=Template.LIQUID, xsi_nil=XsiNil.NULL, parse_date=False),
        '<set-body template="liquid" xsi-nil="null" parse-date="false">&lt;a&gt;{{ body.name }}&lt;/a&gt;</set-body>',
        id="set-body is a Liquid template",
    ),
    pytest.param(
        SetBackendService(backend_id="dapr", dapr_app_id="chat", dapr_method="ask", dapr_namespace="ai"),
        '<set-backend-service backend-id="dapr" dapr-app-id="chat" dapr-method="ask" dapr-namespace="ai" />',
        id="set-backend-service names a Dapr application",
    ),
    pytest.param(
        SetBackendService(
            backend_id="fabric",
            sf_partition_key="1",
            sf_replica_type=ReplicaType.SECONDARY,
            sf_resolve_condition='@(context.LastError?.Reason == "BackendConnectionFailure")',
        ),
        '<set-backend-service backend-id="fabric" sf-resolve-condition="@(context.LastError?.Reason == '
        '&quot;BackendConnectionFailure&quot;)" sf-partition-key="1" sf-replica-type="secondary" />',
        id="set-backend-service names a replica of Service Fabric",
    ),
    pytest.param(
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
        id="validate-azure-ad-token of another cloud with encrypted tokens",
    ),
    pytest.param(
        RawElement(xml='<rate-limit calls="1" renewal-period="2"><operation name="a" calls="1"/></rate-limit>'),
        '<rate-limit calls="1" renewal-period="2"><operation name="a" calls="1" /></rate-limit>',
        id="a raw element has what the type lacks",
    ),
    pytest.param(
        AuthenticationBasic(id="b", username="me", password="{{backend-password}}"),
        '<authentication-basic id="b" username="me" password="{{backend-password}}" />',
        id="authentication-basic",
    ),
    pytest.param(
        CacheLookup(
            vary_by_developer="@(context.User != null)",
            vary_by_developer_groups=True,
            downstream_caching_type=DownstreamCachingType.PRIVATE,
            must_revalidate=False,
            caching_type=CachingType.INTERNAL,
            allow_private_response_caching=True,
            vary_by_header=["Authorization", "Accept"],
            vary_by_query_parameter=["version"],
        ),
        """
        <cache-lookup vary-by-developer="@(context.User != null)" vary-by-developer-groups="true" \
downstream-caching-type="private" must-revalidate="false" caching-type="internal" \
allow-private-response-caching="true">
            <vary-by-header>Authorization</vary-by-header>
            <vary-by-header>Accept</vary-by-header>
            <vary-by-query-parameter>version</vary-by-query-parameter>
        </cache-lookup>
        """,
        id="cache-lookup takes every option",
    ),
    pytest.param(
        LogToEventHub(logger_id="audit", partition_key="@(context.Subscription.Id)", value="@(context.RequestId)"),
        '<log-to-eventhub logger-id="audit" partition-key="@(context.Subscription.Id)">@(context.RequestId)'
        "</log-to-eventhub>",
        id="log-to-eventhub with a key",
    ),
    pytest.param(
        LogToEventHub(logger_id="audit", partition_id=0, value="called"),
        '<log-to-eventhub logger-id="audit" partition-id="0">called</log-to-eventhub>',
        id="log-to-eventhub with a partition",
    ),
    pytest.param(
        MockResponse(enabled=True, status_code=201, content_type="application/json", index=1),
        '<mock-response enabled="true" status-code="201" content-type="application/json" index="1" />',
        id="mock-response takes every option",
    ),
    pytest.param(
        SendOneWayRequest(
            mode=RequestMode.NEW, timeout=20, url="https://a.example/alert", method=POST, body=SetBody(value="slow")
        ),
        """
        <send-one-way-request mode="new" timeout="20">
            <set-url>https://a.example/alert</set-url>
            <set-method>POST</set-method>
            <set-body>slow</set-body>
        </send-one-way-request>
        """,
        id="send-one-way-request",
    ),
    pytest.param(
        CacheLookupValue(
            id="l",
            key='@("user-" + context.Subscription.Id)',
            variable_name="user",
            default_value="nobody",
            caching_type=CachingType.INTERNAL,
        ),
        '<cache-lookup-value id="l" key="@(&quot;user-&quot; + context.Subscription.Id)" variable-name="user" '
        'default-value="nobody" caching-type="internal" />',
        id="cache-lookup-value takes every option",
    ),
    pytest.param(
        CacheStoreValue(key="k", value="@(context.RequestId)", duration=60, caching_type=CachingType.EXTERNAL),
        '<cache-store-value key="k" value="@(context.RequestId)" duration="60" caching-type="external" />',
        id="cache-store-value takes every option",
    ),
    pytest.param(
        CacheRemoveValue(key="k", caching_type=CachingType.PREFER_EXTERNAL),
        '<cache-remove-value key="k" caching-type="prefer-external" />',
        id="cache-remove-value takes every option",
    ),
    pytest.param(SetMethod(id="s", value="PATCH"), '<set-method id="s">PATCH</set-method>', id="set-method"),
    pytest.param(
        FindAndReplace(from_="note book", to=""),
        '<find-and-replace from="note book" to="" />',
        id="find-and-replace removes a text",
    ),
    pytest.param(
        SendRequest(
            id="q",
            mode=RequestMode.NEW,
            response_variable_name="reply",
            timeout=20,
            ignore_error=True,
            buffer_response=False,
            fail_on_error_status_code=True,
            url="https://a.example/introspect",
            method=POST,
            headers=[SetHeader(name="x-a", values=["1"]), SetHeader(name="x-b", values=["2"])],
            body=SetBody(value="@(context.RequestId.ToString())"),
            identity=AuthenticationManagedIdentity(
                resource="api://x", output_token_variable_name=None, ignore_error=None
            ),
        ),
        """
        <send-request id="q" mode="new" response-variable-name="reply" timeout="20" ignore-error="true" \
buffer-response="false" fail-on-error-status-code="true">
            <set-url>https://a.example/introspect</set-url>
            <set-method>POST</set-method>
            <set-header name="x-a">
                <value>1</value>
            </set-header>
            <set-header name="x-b">
                <value>2</value>
            </set-header>
            <set-body>@(context.RequestId.ToString())</set-body>
            <authentication-managed-identity resource="api://x" />
        </send-request>
        """,
        id="send-request takes every option in the schema's order",
    ),
    pytest.param(
        SendRequest(
            mode=RequestMode.COPY,
            response_variable_name="reply",
            timeout_ms="@(500)",
            url="https://a.example",
        ),
        """
        <send-request mode="copy" response-variable-name="reply" timeout-ms="@(500)">
            <set-url>https://a.example</set-url>
        </send-request>
        """,
        id="send-request sends a copy",
    ),
    *(
        pytest.param(
            SendRequest(response_variable_name="r", url=url, method=POST),
            f"""
            <send-request response-variable-name="r">
                <set-url>{url}</set-url>
                <set-method>POST</set-method>
            </send-request>
            """,
            id=f"send-request goes to {url}",
        )
        for url in ("http://inside.example/a", "{{url}}/a", "@((string)context.Variables.GetValueOrDefault())")
    ),
    pytest.param(
        Wait(
            for_=WaitFor.ANY,
            policies=[
                CacheLookupValue(key="k", variable_name="v"),
                Choose(when=[When(condition=True, policies=[SetMethod(value="GET")])]),
            ],
        ),
        """
        <wait for="any">
            <cache-lookup-value key="k" variable-name="v" />
            <choose>
                <when condition="true">
                    <set-method>GET</set-method>
                </when>
            </choose>
        </wait>
        """,
        id="wait runs policies in parallel",
    ),
    pytest.param(
        ValidateContent(
            id="v",
            unspecified_content_type_action=PREVENT,
            max_size=102400,
            size_exceeded_action="@(context.Api.Name)",
            errors_variable_name="errors",
            content_type_map=ContentTypeMap(
                any_content_type_value="application/json",
                missing_content_type_value="text/plain",
                types=[
                    ContentTypeMapping(from_="application/hal+json", to="application/json"),
                    ContentTypeMapping(when="@(context.Request.Body == null)", to="text/plain"),
                ],
            ),
            contents=[
                ValidatedContent(
                    validate_as=ContentFormat.JSON,
                    type="application/json",
                    action=DETECT,
                    allow_additional_properties=False,
                ),
                ValidatedContent(validate_as=ContentFormat.JSON, type="text/json", action="{{action}}"),
                ValidatedContent(validate_as=ContentFormat.JSON, action=IGNORE),
            ],
        ),
        """
        <validate-content id="v" unspecified-content-type-action="prevent" max-size="102400" \
size-exceeded-action="@(context.Api.Name)" errors-variable-name="errors">
            <content-type-map any-content-type-value="application/json" missing-content-type-value="text/plain">
                <type from="application/hal+json" to="application/json" />
                <type when="@(context.Request.Body == null)" to="text/plain" />
            </content-type-map>
            <content validate-as="json" type="application/json" action="detect" \
allow-additional-properties="false" />
            <content validate-as="json" type="text/json" action="{{action}}" />
            <content validate-as="json" action="ignore" />
        </validate-content>
        """,
        id="validate-content takes every option",
    ),
    pytest.param(
        ValidateContent(unspecified_content_type_action=DETECT, max_size="{{size}}", size_exceeded_action=PREVENT),
        '<validate-content unspecified-content-type-action="detect" max-size="{{size}}" '
        'size-exceeded-action="prevent" />',
        id="validate-content validates the size alone",
    ),
    pytest.param(
        ValidateParameters(
            specified_parameter_action=PREVENT,
            unspecified_parameter_action=IGNORE,
            errors_variable_name="errors",
            headers=MessageParameters(
                specified_parameter_action=DETECT,
                unspecified_parameter_action=DETECT,
                parameters={"Authorization": PREVENT, "User-Agent": "@(context.Api.Name)"},
            ),
            query=MessageParameters(specified_parameter_action=IGNORE, unspecified_parameter_action=PREVENT),
            path=PathParameters(specified_parameter_action=PREVENT, parameters={"id": IGNORE}),
        ),
        """
        <validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore" \
errors-variable-name="errors">
            <headers specified-parameter-action="detect" unspecified-parameter-action="detect">
                <parameter name="Authorization" action="prevent" />
                <parameter name="User-Agent" action="@(context.Api.Name)" />
            </headers>
            <query specified-parameter-action="ignore" unspecified-parameter-action="prevent" />
            <path specified-parameter-action="prevent">
                <parameter name="id" action="ignore" />
            </path>
        </validate-parameters>
        """,
        id="validate-parameters takes every option",
    ),
]

BACKEND = [
    pytest.param(
        Retry(
            id="r",
            condition="@(context.Response.StatusCode == 429 || context.Response.StatusCode >= 500)",
            count=50,
            interval=0,
            delta=10,
            max_interval=100,
            first_fast_retry=True,
            policies=[SetBackendService(backend_id="pool"), ForwardRequest(buffer_request_body=True)],
        ),
        """
        <retry id="r" condition="@(context.Response.StatusCode == 429 || context.Response.StatusCode &gt;= 500)" \
count="50" interval="0" delta="10" max-interval="100" first-fast-retry="true">
            <set-backend-service backend-id="pool" />
            <forward-request buffer-request-body="true" />
        </retry>
        """,
        id="retry takes every option",
    ),
    pytest.param(
        LimitConcurrency(
            key='@((string)context.Variables["connectionId"])', max_count=3, policies=[ForwardRequest(timeout=120)]
        ),
        """
        <limit-concurrency key="@((string)context.Variables[&quot;connectionId&quot;])" max-count="3">
            <forward-request timeout="120" />
        </limit-concurrency>
        """,
        id="limit-concurrency lets few requests in",
    ),
    pytest.param(
        Wait(policies=[ForwardRequest()]),
        """
        <wait for="all">
            <forward-request />
        </wait>
        """,
        id="wait waits for all by default",
    ),
]

OUTBOUND = [
    pytest.param(
        ValidateHeaders(
            id="h",
            specified_header_action=PREVENT,
            unspecified_header_action=DETECT,
            errors_variable_name="errors",
            headers={"Server": IGNORE},
        ),
        """
        <validate-headers id="h" specified-header-action="prevent" unspecified-header-action="detect" \
errors-variable-name="errors">
            <header name="Server" action="ignore" />
        </validate-headers>
        """,
        id="validate-headers takes every option",
    ),
    pytest.param(
        ValidateStatusCode(
            unspecified_status_code_action="{{action}}", errors_variable_name="errors", status_codes={404: IGNORE}
        ),
        """
        <validate-status-code unspecified-status-code-action="{{action}}" errors-variable-name="errors">
            <status-code code="404" action="ignore" />
        </validate-status-code>
        """,
        id="validate-status-code takes every option",
    ),
]


@pytest.mark.parametrize(("policy", "expected"), INBOUND)
def test_policy_of_the_request_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.INBOUND)


@pytest.mark.parametrize(("policy", "expected"), BACKEND)
def test_policy_of_the_backend_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.BACKEND)


@pytest.mark.parametrize(("policy", "expected"), OUTBOUND)
def test_policy_of_the_response_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.OUTBOUND)
