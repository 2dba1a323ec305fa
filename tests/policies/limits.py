"""Hypothesis strategies: policies about what a caller may spend, what is safe, what is known, and what is measured."""

from typing import Any

from hypothesis import strategies as st

from policies import (
    DEFAULT_DIMENSIONS,
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
    SeverityLevels,
    TokenMetric,
    TokenQuotaPeriod,
    Trace,
    TraceSeverity,
)
from tests.policies.values import (
    choice,
    expressions,
    filled,
    flag_expressions,
    flags,
    maybe,
    named_values,
    names,
    options,
    plain,
    texts,
    upto,
)

INT = 2**31 - 1
LONG = 2**63 - 1

Strategies = dict[str, st.SearchStrategy[Any]]
scopes: list[Strategies] = [{"id": plain}, {"name": plain}, {"id": plain, "name": plain}]
rate: Strategies = {"calls": st.integers(1, INT), "renewal_period": st.integers(1, 300)}
volumes: list[Strategies] = [
    {"calls": st.integers(1, INT)},
    {"bandwidth": st.integers(1, LONG)},
    {"calls": st.integers(1, INT), "bandwidth": st.integers(1, LONG)},
]


def scoped(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build an API or an operation by identifier, by name, or by both."""
    return st.one_of(*(st.builds(kind, **scope, **strategies) for scope in scopes))


def measured(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build a quota of calls, of bytes, or of both."""
    build = options if issubclass(kind, Policy) else scoped
    return st.one_of(*(build(kind, **volume, **strategies) for volume in volumes))


rate_limit = options(
    RateLimit,
    **rate,
    **names(RateLimit),
    apis=st.lists(
        scoped(RateLimitApi, **rate, operations=st.lists(scoped(RateLimitOperation, **rate), max_size=2)), max_size=2
    ),
)
counted = {
    "counter_key": filled,
    "increment_condition": maybe(flag_expressions),
    "increment_count": maybe(upto(0, INT)),
}
rate_limit_by_key = options(
    RateLimitByKey,
    **names(RateLimitByKey),
    **counted,
    calls=upto(1, INT),
    renewal_period=upto(1, 300),
    increment_after_response=maybe(flags),
)
quota = measured(
    Quota,
    renewal_period=st.integers(0, INT),
    apis=st.lists(measured(QuotaApi, operations=st.lists(measured(QuotaOperation), max_size=2)), max_size=2),
)
quota_by_key = measured(
    QuotaByKey,
    **counted,
    renewal_period=st.just(0) | st.integers(300, INT),
    first_period_start=maybe(st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat() + "Z")),
)
quotas: list[Strategies] = [
    {"tokens_per_minute": upto(1, INT)},
    {"token_quota": upto(1, LONG), "token_quota_period": st.sampled_from(TokenQuotaPeriod)},
    {
        "tokens_per_minute": upto(1, INT),
        "token_quota": upto(1, LONG),
        "token_quota_period": st.sampled_from(TokenQuotaPeriod),
    },
]


def token_limit(kind: type[LlmTokenLimit]) -> st.SearchStrategy[Any]:
    rest = {
        "counter_key": filled,
        "estimate_prompt_tokens": flags,
        "prompt_type": maybe(st.sampled_from(PromptType)),
        "ignore_prompt": maybe(flags),
    }
    return st.one_of(*(options(kind, **limits, **rest, **names(kind)) for limits in quotas))


defaults = st.builds(Dimension, name=st.sampled_from(sorted(DEFAULT_DIMENSIONS)), value=maybe(texts))
customs = st.builds(Dimension, name=filled, value=texts)
dimensions = st.lists(defaults, min_size=1, max_size=5) | st.lists(customs, min_size=1, max_size=5)
emit_metric = options(
    EmitMetric,
    name=plain,
    namespace=maybe(plain),
    value=maybe(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-INT, INT) | expressions | named_values),
    default_dimensions=maybe(flags),
    dimensions=dimensions,
)


def emit_token_metric(kind: type[LlmEmitTokenMetric]) -> st.SearchStrategy[Any]:
    return options(
        kind,
        namespace=maybe(plain),
        name=maybe(plain),
        value_type=maybe(st.sampled_from(TokenMetric)),
        ignore_prompt=maybe(flags),
        dimensions=dimensions,
    )


def semantic_cache_lookup(kind: type[LlmSemanticCacheLookup]) -> st.SearchStrategy[Any]:
    return options(
        kind,
        score_threshold=st.floats(0, 1) | st.sampled_from([0, 1]),
        embeddings_backend_id=plain,
        embeddings_backend_auth=maybe(st.sampled_from(EmbeddingsBackendAuth)),
        ignore_system_messages=maybe(flags),
        max_message_count=maybe(st.integers(1, INT)),
        cache_id=maybe(plain),
        vary_by=st.lists(filled, max_size=3),
    )


def semantic_cache_store(kind: type[LlmSemanticCacheStore]) -> st.SearchStrategy[Any]:
    return options(kind, duration=upto(1, INT))


categories = st.lists(
    st.builds(SafetyCategory, name=choice(HarmCategory), threshold=upto(0, 6)),
    min_size=1,
    max_size=3,
    unique_by=lambda category: category.name,
)
checks: list[Strategies] = [
    {"categories": categories, "output_type": maybe(choice(SeverityLevels))},
    {"blocklist_ids": st.lists(filled, min_size=1, max_size=1)},
    {"shield_prompt": st.just(True) | expressions | named_values},
]
llm_content_safety = st.one_of(
    *(
        options(
            LlmContentSafety,
            **some,
            backend_id=filled,
            enforce_on_completions=maybe(flag_expressions),
            window_size=maybe(upto(1000, INT)),
            window_overlap_size=maybe(upto(0, 999)),
        )
        for some in checks
    )
)
trace = options(
    Trace,
    source=plain,
    severity=maybe(st.sampled_from(TraceSeverity)),
    message=texts,
    metadata=st.dictionaries(filled, texts, max_size=2),
)

SPEND: Strategies = {
    "rate-limit": rate_limit,
    "rate-limit-by-key": rate_limit_by_key,
    "quota": quota,
    "quota-by-key": quota_by_key,
    "llm-token-limit": token_limit(LlmTokenLimit),
    "azure-openai-token-limit": token_limit(AzureOpenAITokenLimit),
}
ANSWER: Strategies = {
    "llm-semantic-cache-lookup": semantic_cache_lookup(LlmSemanticCacheLookup),
    "azure-openai-semantic-cache-lookup": semantic_cache_lookup(AzureOpenAISemanticCacheLookup),
}
STORE: Strategies = {
    "llm-semantic-cache-store": semantic_cache_store(LlmSemanticCacheStore),
    "azure-openai-semantic-cache-store": semantic_cache_store(AzureOpenAISemanticCacheStore),
}
TOKEN_METRICS: Strategies = {
    "llm-emit-token-metric": emit_token_metric(LlmEmitTokenMetric),
    "azure-openai-emit-token-metric": emit_token_metric(AzureOpenAIEmitTokenMetric),
}
