"""What each policy about spending, safety, caching and metrics looks like as XML."""

import pytest

from policies import (
    AzureOpenAIEmitTokenMetric,
    AzureOpenAISemanticCacheLookup,
    AzureOpenAISemanticCacheStore,
    AzureOpenAITokenLimit,
    Dimension,
    EmbeddingsBackendAuth,
    EmitMetric,
    HarmCategory,
    LlmContentSafety,
    LlmEmitTokenMetric,
    LlmSemanticCacheLookup,
    LlmSemanticCacheStore,
    LlmTokenLimit,
    Policy,
    PromptType,
    Quota,
    QuotaApi,
    QuotaByKey,
    QuotaOperation,
    RateLimit,
    RateLimitApi,
    RateLimitByKey,
    RateLimitOperation,
    SafetyCategory,
    Section,
    SeverityLevels,
    TokenMetric,
    TokenQuotaPeriod,
    Trace,
    TraceSeverity,
)
from tests.policies.rendered import check_rendering

SUBSCRIPTION = "@(context.Subscription.Id)"

INBOUND = [
    pytest.param(
        RateLimit(calls=20, renewal_period=90, remaining_calls_variable_name="left"),
        '<rate-limit remaining-calls-variable-name="left" calls="20" renewal-period="90" />',
        id="rate-limit counts calls of a subscription",
    ),
    pytest.param(
        RateLimit(
            id="r",
            calls=100,
            renewal_period=300,
            retry_after_header_name="x-wait",
            retry_after_variable_name="wait",
            remaining_calls_header_name="x-left",
            remaining_calls_variable_name="left",
            total_calls_header_name="x-total",
            apis=[
                RateLimitApi(
                    name="Echo",
                    calls=50,
                    renewal_period=60,
                    operations=[RateLimitOperation(id="get", name="Get", calls=5, renewal_period=1)],
                ),
                RateLimitApi(id="other", calls=1, renewal_period=1),
            ],
        ),
        """
        <rate-limit id="r" retry-after-header-name="x-wait" retry-after-variable-name="wait" \
remaining-calls-header-name="x-left" remaining-calls-variable-name="left" total-calls-header-name="x-total" \
calls="100" renewal-period="300">
            <api name="Echo" calls="50" renewal-period="60">
                <operation id="get" name="Get" calls="5" renewal-period="1" />
            </api>
            <api id="other" calls="1" renewal-period="1" />
        </rate-limit>
        """,
        id="rate-limit takes every option",
    ),
    pytest.param(
        RateLimitByKey(
            calls="@(context.Product.Name == null ? 1 : 10)",
            renewal_period="{{period}}",
            counter_key="@(context.Request.IpAddress)",
            increment_condition="@(context.Response.StatusCode == 200)",
            increment_count=2,
            increment_after_response=True,
            retry_after_header_name="x-wait",
        ),
        '<rate-limit-by-key retry-after-header-name="x-wait" calls="@(context.Product.Name == null ? 1 : 10)" '
        'renewal-period="{{period}}" counter-key="@(context.Request.IpAddress)" '
        'increment-condition="@(context.Response.StatusCode == 200)" increment-count="2" '
        'increment-after-response="true" />',
        id="rate-limit-by-key takes every option",
    ),
    pytest.param(
        Quota(
            calls=10000,
            bandwidth=40000,
            renewal_period=3600,
            apis=[
                QuotaApi(id="a", calls=5, operations=[QuotaOperation(name="b", bandwidth=7)]),
                QuotaApi(name="c", bandwidth=1),
            ],
        ),
        """
        <quota calls="10000" bandwidth="40000" renewal-period="3600">
            <api id="a" calls="5">
                <operation name="b" bandwidth="7" />
            </api>
            <api name="c" bandwidth="1" />
        </quota>
        """,
        id="quota takes every option",
    ),
    pytest.param(
        Quota(id="q", bandwidth=2**63 - 1, renewal_period=0),
        '<quota id="q" bandwidth="9223372036854775807" renewal-period="0" />',
        id="quota may last for ever",
    ),
    pytest.param(
        QuotaByKey(
            calls=10,
            bandwidth=20,
            renewal_period=300,
            first_period_start="2024-02-29T00:00:00Z",
            counter_key=SUBSCRIPTION,
            increment_condition=False,
            increment_count="@(1)",
        ),
        '<quota-by-key calls="10" bandwidth="20" renewal-period="300" first-period-start="2024-02-29T00:00:00Z" '
        'counter-key="@(context.Subscription.Id)" increment-condition="false" increment-count="@(1)" />',
        id="quota-by-key takes every option",
    ),
    pytest.param(
        QuotaByKey(calls=1, renewal_period=0, counter_key="all"),
        '<quota-by-key calls="1" renewal-period="0" counter-key="all" />',
        id="quota-by-key may last for ever",
    ),
    pytest.param(
        LlmTokenLimit(counter_key=SUBSCRIPTION, tokens_per_minute=5000, estimate_prompt_tokens=False),
        '<llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="5000" '
        'estimate-prompt-tokens="false" />',
        id="llm-token-limit limits a rate",
    ),
    pytest.param(
        AzureOpenAITokenLimit(
            id="t",
            counter_key=SUBSCRIPTION,
            tokens_per_minute="@(context.Product.Name == null ? 1 : 10)",
            token_quota=2**63 - 1,
            token_quota_period=TokenQuotaPeriod.MONTHLY,
            estimate_prompt_tokens=True,
            prompt_type=PromptType.CHAT_COMPLETION,
            ignore_prompt=True,
            retry_after_header_name="x-a",
            retry_after_variable_name="a",
            remaining_tokens_header_name="x-b",
            remaining_tokens_variable_name="b",
            remaining_quota_tokens_header_name="x-c",
            remaining_quota_tokens_variable_name="c",
            tokens_consumed_header_name="x-d",
            tokens_consumed_variable_name="d",
        ),
        '<azure-openai-token-limit id="t" counter-key="@(context.Subscription.Id)" '
        'tokens-per-minute="@(context.Product.Name == null ? 1 : 10)" token-quota="9223372036854775807" '
        'token-quota-period="Monthly" estimate-prompt-tokens="true" prompt-type="chat-completion" ignore-prompt="true" '
        'retry-after-header-name="x-a" retry-after-variable-name="a" remaining-tokens-header-name="x-b" '
        'remaining-tokens-variable-name="b" remaining-quota-tokens-header-name="x-c" '
        'remaining-quota-tokens-variable-name="c" tokens-consumed-header-name="x-d" tokens-consumed-variable-name="d" '
        "/>",
        id="azure-openai-token-limit takes every option",
    ),
    pytest.param(
        LlmTokenLimit(
            counter_key="k",
            token_quota="@(10L)",
            token_quota_period=TokenQuotaPeriod.INDEFINITE,
            estimate_prompt_tokens=True,
        ),
        '<llm-token-limit counter-key="k" token-quota="@(10L)" token-quota-period="Indefinite" '
        'estimate-prompt-tokens="true" />',
        id="llm-token-limit limits a quota that never starts over",
    ),
    pytest.param(
        LlmContentSafety(
            id="s",
            backend_id="safety",
            shield_prompt=True,
            enforce_on_completions=True,
            window_size=2000,
            window_overlap_size=1999,
            output_type=SeverityLevels.EIGHT,
            categories=[
                SafetyCategory(name=HarmCategory.HATE, threshold=7),
                SafetyCategory(name=HarmCategory.SELF_HARM, threshold=0),
                SafetyCategory(name='@("Sexual")', threshold="{{threshold}}"),
            ],
            blocklist_ids=["words"],
        ),
        """
        <llm-content-safety id="s" backend-id="safety" shield-prompt="true" enforce-on-completions="true" \
window-size="2000" window-overlap-size="1999">
            <categories output-type="EightSeverityLevels">
                <category name="Hate" threshold="7" />
                <category name="SelfHarm" threshold="0" />
                <category name="@(&quot;Sexual&quot;)" threshold="{{threshold}}" />
            </categories>
            <blocklists>
                <id>words</id>
            </blocklists>
        </llm-content-safety>
        """,
        id="llm-content-safety takes every option",
    ),
    pytest.param(
        LlmContentSafety(backend_id="safety", categories=[SafetyCategory(name=HarmCategory.VIOLENCE, threshold=6)]),
        """
        <llm-content-safety backend-id="safety">
            <categories>
                <category name="Violence" threshold="6" />
            </categories>
        </llm-content-safety>
        """,
        id="llm-content-safety looks for four levels by default",
    ),
    pytest.param(
        LlmSemanticCacheLookup(score_threshold=0.05, embeddings_backend_id="embeddings"),
        '<llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" '
        'embeddings-backend-auth="system-assigned" />',
        id="llm-semantic-cache-lookup uses the system-assigned identity by default",
    ),
    pytest.param(
        AzureOpenAISemanticCacheLookup(
            id="c",
            score_threshold=1,
            embeddings_backend_id="embeddings",
            embeddings_backend_auth=EmbeddingsBackendAuth.HEADER,
            ignore_system_messages=True,
            max_message_count=10,
            cache_id="redis",
            vary_by=[SUBSCRIPTION, "@(context.Api.Id)"],
        ),
        """
        <azure-openai-semantic-cache-lookup id="c" score-threshold="1" embeddings-backend-id="embeddings" \
embeddings-backend-auth="header" ignore-system-messages="true" max-message-count="10" cache-id="redis">
            <vary-by>@(context.Subscription.Id)</vary-by>
            <vary-by>@(context.Api.Id)</vary-by>
        </azure-openai-semantic-cache-lookup>
        """,
        id="azure-openai-semantic-cache-lookup takes every option",
    ),
    pytest.param(
        LlmEmitTokenMetric(dimensions=[Dimension(name="API ID")]),
        """
        <llm-emit-token-metric>
            <dimension name="API ID" />
        </llm-emit-token-metric>
        """,
        id="llm-emit-token-metric needs a dimension",
    ),
    pytest.param(
        AzureOpenAIEmitTokenMetric(
            id="m",
            namespace="llm",
            name="tokens",
            value_type=TokenMetric.PROMPT_TOKENS,
            ignore_prompt=False,
            dimensions=[Dimension(name="Caller", value="@(context.Request.IpAddress)"), Dimension(name="User ID")],
        ),
        """
        <azure-openai-emit-token-metric id="m" namespace="llm" name="tokens" value-type="prompt-tokens" \
ignore-prompt="false">
            <dimension name="Caller" value="@(context.Request.IpAddress)" />
            <dimension name="User ID" />
        </azure-openai-emit-token-metric>
        """,
        id="azure-openai-emit-token-metric takes every option",
    ),
    pytest.param(
        EmitMetric(
            name="Request",
            namespace="mine",
            value=1.5,
            default_dimensions=True,
            dimensions=[Dimension(name="@(context.Api.Name)", value="a")],
        ),
        """
        <emit-metric name="Request" namespace="mine" value="1.5" default-dimensions="true">
            <dimension name="@(context.Api.Name)" value="a" />
        </emit-metric>
        """,
        id="emit-metric takes every option",
    ),
    *(
        pytest.param(
            EmitMetric(name="n", value=value, dimensions=[Dimension(name="Location")]),
            f"""
            <emit-metric name="n" value="{text}">
                <dimension name="Location" />
            </emit-metric>
            """,
            id=f"emit-metric sends {text}",
        )
        for value, text in ((0, "0"), (1e-7, "1e-07"), (-1e300, "-1e+300"), ("@(1.0)", "@(1.0)"))
    ),
    pytest.param(
        Trace(
            id="x",
            source="gateway",
            severity=TraceSeverity.ERROR,
            message='@((string)context.Variables["a"])',
            metadata={"Operation Name": "New-Order", "@(context.Api.Name)": "@(context.Api.Id)"},
        ),
        """
        <trace id="x" source="gateway" severity="error">
            <message>@((string)context.Variables["a"])</message>
            <metadata name="Operation Name" value="New-Order" />
            <metadata name="@(context.Api.Name)" value="@(context.Api.Id)" />
        </trace>
        """,
        id="trace takes every option",
    ),
]

OUTBOUND = [
    pytest.param(
        LlmSemanticCacheStore(duration=60), '<llm-semantic-cache-store duration="60" />', id="llm-semantic-cache-store"
    ),
    pytest.param(
        AzureOpenAISemanticCacheStore(id="c", duration="@(60)"),
        '<azure-openai-semantic-cache-store id="c" duration="@(60)" />',
        id="azure-openai-semantic-cache-store",
    ),
    pytest.param(
        LlmContentSafety(backend_id="safety", blocklist_ids=["@(context.Api.Name)"]),
        """
        <llm-content-safety backend-id="safety">
            <blocklists>
                <id>@(context.Api.Name)</id>
            </blocklists>
        </llm-content-safety>
        """,
        id="llm-content-safety checks answers",
    ),
]


@pytest.mark.parametrize(("policy", "expected"), INBOUND)
def test_policy_of_the_request_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.INBOUND)


@pytest.mark.parametrize(("policy", "expected"), OUTBOUND)
def test_policy_of_the_response_renders_as_written_here(policy: Policy, expected: str) -> None:
    check_rendering(policy, expected, Section.OUTBOUND)
