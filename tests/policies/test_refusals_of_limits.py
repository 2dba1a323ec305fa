"""What no policy about spending, safety, caching and metrics can say, and the message that tells so."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from policies import (
    Dimension,
    EmitMetric,
    HarmCategory,
    LlmContentSafety,
    LlmEmitTokenMetric,
    LlmSemanticCacheLookup,
    LlmSemanticCacheStore,
    LlmTokenLimit,
    PolicyError,
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
    TokenQuotaPeriod,
    Trace,
)

HATE = SafetyCategory(name=HarmCategory.HATE, threshold=4)
LOCATION = [Dimension(name="Location")]


def tokens(**options: Any) -> LlmTokenLimit:
    return LlmTokenLimit(**{"counter_key": "k", "tokens_per_minute": 1, "estimate_prompt_tokens": False, **options})


def by_key(**options: Any) -> QuotaByKey:
    return QuotaByKey(**{"counter_key": "k", "calls": 1, "renewal_period": 0, **options})


def safety(**options: Any) -> LlmContentSafety:
    return LlmContentSafety(**{"backend_id": "b", "categories": [HATE], **options})


def lookup(**options: Any) -> LlmSemanticCacheLookup:
    return LlmSemanticCacheLookup(**{"score_threshold": 0.05, "embeddings_backend_id": "b", **options})


def metric(**options: Any) -> EmitMetric:
    return EmitMetric(**{"name": "n", "dimensions": LOCATION, **options})


REFUSED: list[tuple[Callable[[], object], str]] = [
    # rate-limit, rate-limit-by-key
    (lambda: RateLimit(calls=0, renewal_period=1), "rate-limit calls 0 is not allowed; use 1 to 2147483647"),
    (
        lambda: RateLimit(calls=2**31, renewal_period=1),
        "rate-limit calls 2147483648 is not allowed; use 1 to 2147483647",
    ),
    *(
        (
            lambda period=period: RateLimit(calls=1, renewal_period=period),
            f"rate-limit renewal_period {period} is not allowed; use 1 to 300 seconds",
        )
        for period in (0, 301)
    ),
    (
        lambda: RateLimit(calls=any_type("@(1)"), renewal_period=1),
        "rate-limit calls '@(1)' is not allowed; use a whole number",
    ),
    (
        lambda: RateLimit(calls=1, renewal_period=1, retry_after_header_name="@(context.Api.Name)"),
        "rate-limit retry_after_header_name '@(context.Api.Name)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    (
        lambda: RateLimit(calls=1, renewal_period=1, total_calls_header_name="a b"),
        "rate-limit total_calls_header_name 'a b' is not a header name; "
        "use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        lambda: RateLimit(calls=1, renewal_period=1, retry_after_variable_name=""),
        "rate-limit retry_after_variable_name '' is empty; give it a value",
    ),
    (
        lambda: RateLimitApi(calls=1, renewal_period=1),
        "rate limit api has neither id nor name; give one of them",
    ),
    (
        lambda: RateLimitApi(name="a", calls=1, renewal_period=301),
        "rate limit api renewal_period 301 is not allowed; use 1 to 300 seconds",
    ),
    (
        lambda: RateLimitOperation(id="@(context.Operation.Id)", calls=1, renewal_period=1),
        "rate limit operation id '@(context.Operation.Id)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    (
        lambda: RateLimitOperation(name="a", calls=0, renewal_period=1),
        "rate limit operation calls 0 is not allowed; use 1 to 2147483647",
    ),
    (
        lambda: RateLimitByKey(calls=1, renewal_period=600, counter_key="k"),
        "rate-limit-by-key renewal_period 600 is not allowed; use 1 to 300 seconds",
    ),
    (
        lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key=" "),
        "rate-limit-by-key counter_key ' ' is empty; give it a value",
    ),
    (
        lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key="k", increment_count=-1),
        "rate-limit-by-key increment_count -1 is not allowed; use 0 to 2147483647",
    ),
    (
        lambda: RateLimitByKey(calls=1, renewal_period=60, counter_key="k", increment_condition="always"),
        "rate-limit-by-key increment_condition 'always' is not allowed; "
        "use True or False or an expression such as @(...)",
    ),
    # quota, quota-by-key
    (lambda: Quota(renewal_period=0), "quota has neither calls nor bandwidth; give one of them or both"),
    (
        lambda: Quota(calls=1, renewal_period=-1),
        "quota renewal_period -1 is not allowed; use 0 to 2147483647 seconds",
    ),
    (
        lambda: Quota(bandwidth=0, renewal_period=0),
        "quota bandwidth 0 is not allowed; use 1 to 9223372036854775807 kilobytes",
    ),
    (lambda: QuotaApi(id="a"), "quota api has neither calls nor bandwidth; give one of them or both"),
    (lambda: QuotaApi(calls=1), "quota api has neither id nor name; give one of them"),
    (lambda: QuotaOperation(id="", calls=1), "quota operation id '' is empty; give it a value"),
    (lambda: QuotaOperation(id="a", calls=0), "quota operation calls 0 is not allowed; use 1 to 2147483647"),
    *(
        (
            lambda period=period: by_key(renewal_period=period),
            f"quota-by-key renewal_period {period} is not allowed; "
            "use 300 to 2147483647 seconds, or 0 for a quota that is never renewed",
        )
        for period in (-300, 1, 299, 2**31)
    ),
    (
        lambda: by_key(calls="@(1)"),
        "quota-by-key calls '@(1)' is not allowed; use a whole number",
    ),
    *(
        (
            lambda start=start: by_key(first_period_start=start),
            f"quota-by-key first_period_start {start!r} is not a time in UTC; write it as 2026-01-31T00:00:00Z",
        )
        for start in ("2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T00:00:00+01:00", "@(DateTime.Now)")
    ),
    (lambda: by_key(counter_key=""), "quota-by-key counter_key '' is empty; give it a value"),
    (
        lambda: by_key(increment_count=2**31),
        "quota-by-key increment_count 2147483648 is not allowed; use 0 to 2147483647",
    ),
    # token limits
    (
        lambda: tokens(tokens_per_minute=None),
        "llm-token-limit limits nothing; give tokens_per_minute, or token_quota with token_quota_period, or both",
    ),
    (
        lambda: tokens(token_quota=5),
        "llm-token-limit has only one of token_quota and token_quota_period; give both or neither",
    ),
    (
        lambda: tokens(token_quota_period=TokenQuotaPeriod.DAILY),
        "llm-token-limit has only one of token_quota and token_quota_period; give both or neither",
    ),
    (
        lambda: tokens(token_quota=1, token_quota_period="day"),
        "llm-token-limit token_quota_period 'day' is not allowed; use TokenQuotaPeriod.HOURLY or "
        "TokenQuotaPeriod.DAILY or TokenQuotaPeriod.WEEKLY or TokenQuotaPeriod.MONTHLY or TokenQuotaPeriod.YEARLY or "
        "TokenQuotaPeriod.INDEFINITE",
    ),
    (
        lambda: tokens(tokens_per_minute=0),
        "llm-token-limit tokens_per_minute 0 is not allowed; use 1 to 2147483647",
    ),
    (
        lambda: tokens(token_quota=2**63, token_quota_period=TokenQuotaPeriod.DAILY),
        "llm-token-limit token_quota 9223372036854775808 is not allowed; use 1 to 9223372036854775807",
    ),
    (lambda: tokens(counter_key=""), "llm-token-limit counter_key '' is empty; give it a value"),
    (
        lambda: tokens(estimate_prompt_tokens=None),
        "llm-token-limit estimate_prompt_tokens None is not allowed; use True or False",
    ),
    (
        lambda: tokens(tokens_consumed_variable_name="@(1)"),
        "llm-token-limit tokens_consumed_variable_name '@(1)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    # content safety
    (
        lambda: safety(categories=[], shield_prompt=False, enforce_on_completions=True),
        "llm-content-safety checks nothing; give categories, blocklist_ids or shield_prompt",
    ),
    (lambda: safety(backend_id=""), "llm-content-safety backend_id '' is empty; give it a value"),
    (
        lambda: safety(window_size=0),
        "llm-content-safety window_size 0 is not allowed; use 1 to 2147483647 characters",
    ),
    (
        lambda: safety(window_size=100, window_overlap_size=100),
        "llm-content-safety window_overlap_size 100 is not allowed; use 0 to 99 characters",
    ),
    (
        lambda: safety(window_overlap_size=-1),
        "llm-content-safety window_overlap_size -1 is not allowed; use 0 to 2147483647 characters",
    ),
    (
        lambda: safety(categories=[], shield_prompt=True, output_type=SeverityLevels.FOUR),
        "llm-content-safety has output_type but no categories; give categories or remove it",
    ),
    (
        lambda: safety(categories=[HATE, HATE]),
        "llm-content-safety has category Hate more than once; keep one threshold",
    ),
    *(
        (
            lambda levels=levels: safety(
                categories=[SafetyCategory(name=HarmCategory.SEXUAL, threshold=7)], output_type=levels
            ),
            "llm-content-safety threshold of Sexual 7 is not allowed; use 0 to 6",
        )
        for levels in (None, SeverityLevels.FOUR)
    ),
    (
        lambda: SafetyCategory(name=HarmCategory.HATE, threshold=8),
        "safety category threshold 8 is not allowed; use 0 to 7",
    ),
    (
        lambda: SafetyCategory(name="Hate", threshold=4),
        "safety category name 'Hate' is not allowed; use HarmCategory.HATE or HarmCategory.SELF_HARM or "
        "HarmCategory.SEXUAL or HarmCategory.VIOLENCE or an expression such as @(...)",
    ),
    (
        lambda: safety(blocklist_ids=["a", "b"]),
        "llm-content-safety has 2 blocklist_ids; the schema allows one; use a policy for each",
    ),
    (lambda: safety(blocklist_ids=[""]), "llm-content-safety blocklist_ids '' is empty; give it a value"),
    # semantic cache
    *(
        (
            lambda score=score: lookup(score_threshold=score),
            f"llm-semantic-cache-lookup score_threshold {score} is not allowed; use 0 to 1",
        )
        for score in (-0.1, 1.01, math.nan, 2)
    ),
    (
        lambda: lookup(score_threshold="0.05"),
        "llm-semantic-cache-lookup score_threshold '0.05' is not allowed; use a number",
    ),
    (
        lambda: lookup(score_threshold=True),
        "llm-semantic-cache-lookup score_threshold True is not allowed; use a number",
    ),
    (
        lambda: lookup(embeddings_backend_id=""),
        "llm-semantic-cache-lookup embeddings_backend_id '' is empty; give it a value",
    ),
    (
        lambda: lookup(max_message_count=0),
        "llm-semantic-cache-lookup max_message_count 0 is not allowed; use 1 to 2147483647",
    ),
    (lambda: lookup(vary_by=[" "]), "llm-semantic-cache-lookup vary_by ' ' is empty; give it a value"),
    (
        lambda: LlmSemanticCacheStore(duration=0),
        "llm-semantic-cache-store duration 0 is not allowed; use 1 to 2147483647 seconds",
    ),
    # metrics and traces
    (
        lambda: metric(name="@(1)"),
        "emit-metric name '@(1)' is a policy expression, which is not allowed here; give the value itself",
    ),
    (lambda: metric(namespace=""), "emit-metric namespace '' is empty; give it a value"),
    *(
        (
            lambda value=value: metric(value=value),
            f"emit-metric value {value} is not finite; use a number that a double holds",
        )
        for value in (math.nan, math.inf, 10**309)
    ),
    (
        lambda: metric(value="12"),
        "emit-metric value '12' is not allowed; use a number or an expression such as @(...)",
    ),
    (lambda: metric(dimensions=[]), "emit-metric dimensions [] is empty; give at least one Dimension"),
    (
        lambda: LlmEmitTokenMetric(dimensions=[Dimension(name=f"d{i}", value="v") for i in range(6)]),
        "llm-emit-token-metric has 6 dimensions, 6 of them custom; use at most 10, at most 5 of them custom",
    ),
    (
        lambda: metric(dimensions=LOCATION * 11),
        "emit-metric has 11 dimensions, 0 of them custom; use at most 10, at most 5 of them custom",
    ),
    (
        lambda: Dimension(name="Caller"),
        "dimension 'Caller' has no value; give one, or use one of API ID, Backend ID, Gateway ID, Location, "
        "Operation ID, Product ID, Subscription ID, User ID",
    ),
    (lambda: Dimension(name="", value="a"), "dimension name '' is empty; give it a value"),
    (
        lambda: LlmEmitTokenMetric(namespace="@(1)", dimensions=LOCATION),
        "llm-emit-token-metric namespace '@(1)' is a policy expression, which is not allowed here; "
        "give the value itself",
    ),
    (lambda: Trace(source="", message="m"), "trace source '' is empty; give it a value"),
    (lambda: Trace(source="s", message="m", metadata={" ": ""}), "trace metadata name ' ' is empty; give it a value"),
]


def any_type(value: object) -> Any:
    """Return `value` as the type checker would not let it pass."""
    return value


@pytest.mark.parametrize(("make", "message"), [pytest.param(*case, id=ascii(case[1])[1:90]) for case in REFUSED])
def test_it_is_refused_with_this_message(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        make()

    assert str(refusal.value) == message


def test_threshold_of_an_expression_for_levels_may_be_the_highest() -> None:
    category = SafetyCategory(name=HarmCategory.HATE, threshold=7)

    assert safety(categories=[category], output_type="@(context.Api.Name)").categories == [category]


def test_window_of_an_expression_leaves_the_overlap_to_the_gateway() -> None:
    assert safety(window_size="{{window}}", window_overlap_size=10**6).window_overlap_size == 10**6
