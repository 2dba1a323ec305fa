from typing import Any

from hypothesis import strategies as st

from policies import AzureOpenAITokenLimit, LlmTokenLimit, PromptType, TokenQuotaPeriod
from policies.shared.checks import INT_MAX, LONG_MAX
from tests.policies.record import Record
from tests.policies.values import Strategies, filled, flags, maybe, names, options, upto

quotas: list[Strategies] = [
    {"tokens_per_minute": upto(1, INT_MAX)},
    {"token_quota": upto(1, LONG_MAX), "token_quota_period": st.sampled_from(TokenQuotaPeriod)},
    {
        "tokens_per_minute": upto(1, INT_MAX),
        "token_quota": upto(1, LONG_MAX),
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


TOKENS: dict[str, Any] = {"counter_key": "a", "tokens_per_minute": 1, "estimate_prompt_tokens": True}

QUOTA: dict[str, Any] = {"token_quota": 1, "token_quota_period": TokenQuotaPeriod.DAILY}

SUBSCRIPTION = "@(context.Subscription.Id)"


def _tokens(**options: Any) -> LlmTokenLimit:
    return LlmTokenLimit(**{"counter_key": "k", "tokens_per_minute": 1, "estimate_prompt_tokens": False, **options})


RECORD = Record(
    LlmTokenLimit,
    examples=(
        LlmTokenLimit(**TOKENS),
        LlmTokenLimit(**TOKENS, **QUOTA),
    ),
    drawn=token_limit(LlmTokenLimit),
    renders={
        "llm-token-limit limits a rate": (
            LlmTokenLimit(counter_key=SUBSCRIPTION, tokens_per_minute=5000, estimate_prompt_tokens=False),
            '<llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="5000" '
            'estimate-prompt-tokens="false" />',
        ),
        "llm-token-limit limits a quota that never starts over": (
            LlmTokenLimit(
                counter_key="k",
                token_quota="@(10L)",
                token_quota_period=TokenQuotaPeriod.INDEFINITE,
                estimate_prompt_tokens=True,
            ),
            '<llm-token-limit counter-key="k" token-quota="@(10L)" token-quota-period="Indefinite" '
            'estimate-prompt-tokens="true" />',
        ),
    },
    refuses=(
        (
            lambda: _tokens(tokens_per_minute=None),
            "llm-token-limit limits nothing; give tokens_per_minute, or token_quota with token_quota_period, or both",
        ),
        (
            lambda: _tokens(token_quota=5),
            "llm-token-limit has only one of token_quota and token_quota_period; give both or neither",
        ),
        (
            lambda: _tokens(token_quota_period=TokenQuotaPeriod.DAILY),
            "llm-token-limit has only one of token_quota and token_quota_period; give both or neither",
        ),
        (
            lambda: _tokens(token_quota=1, token_quota_period="day"),
            "llm-token-limit token_quota_period 'day' is not allowed; use TokenQuotaPeriod.HOURLY or "
            "TokenQuotaPeriod.DAILY or TokenQuotaPeriod.WEEKLY or TokenQuotaPeriod.MONTHLY or "
            "TokenQuotaPeriod.YEARLY or TokenQuotaPeriod.INDEFINITE",
        ),
        (
            lambda: _tokens(tokens_per_minute=0),
            "llm-token-limit tokens_per_minute 0 is not allowed; use 1 to 2147483647",
        ),
        (
            lambda: _tokens(token_quota=2**63, token_quota_period=TokenQuotaPeriod.DAILY),
            "llm-token-limit token_quota 9223372036854775808 is not allowed; use 1 to 9223372036854775807",
        ),
        (lambda: _tokens(counter_key=""), "llm-token-limit counter_key '' is empty; give it a value"),
        (
            lambda: _tokens(estimate_prompt_tokens=None),
            "llm-token-limit estimate_prompt_tokens None is not allowed; use True or False",
        ),
        (
            lambda: _tokens(tokens_consumed_variable_name="@(1)"),
            "llm-token-limit tokens_consumed_variable_name '@(1)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
    ),
)


AZURE_OPENAI = Record(
    AzureOpenAITokenLimit,
    examples=(
        AzureOpenAITokenLimit(**TOKENS),
        AzureOpenAITokenLimit(**TOKENS, **QUOTA),
    ),
    drawn=token_limit(AzureOpenAITokenLimit),
    renders={
        "azure-openai-token-limit takes every option": (
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
            'token-quota-period="Monthly" estimate-prompt-tokens="true" prompt-type="chat-completion" '
            'ignore-prompt="true" '
            'retry-after-header-name="x-a" retry-after-variable-name="a" remaining-tokens-header-name="x-b" '
            'remaining-tokens-variable-name="b" remaining-quota-tokens-header-name="x-c" '
            'remaining-quota-tokens-variable-name="c" tokens-consumed-header-name="x-d" '
            'tokens-consumed-variable-name="d" '
            "/>",
        ),
    },
    refuses=(),
)
