"""`llm-token-limit` and `azure-openai-token-limit`: limit how many tokens may be spent for each value of a key."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.checks import INT_MAX, LONG_MAX, check_filled, check_output_names, check_range
from policies.errors import PolicyError
from policies.policy import CONSUMPTION, INBOUND_ONLY, Section, TypedPolicy


class TokenQuotaPeriod(StrEnum):
    """How long a token quota lasts before it starts over, counted in UTC."""

    HOURLY = "Hourly"
    DAILY = "Daily"
    WEEKLY = "Weekly"
    MONTHLY = "Monthly"
    YEARLY = "Yearly"
    INDEFINITE = "Indefinite"
    """The quota never starts over (inferred; the schema alone knows this value)."""


class PromptType(StrEnum):
    """Shape of the prompts whose tokens are estimated (inferred; the schema alone knows these values)."""

    AUTO = "auto"
    CHAT_COMPLETION = "chat-completion"
    COMPLETION = "completion"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmTokenLimit(TypedPolicy):
    """Refuses the calls for a key that spend tokens beyond a rate, with 429, or beyond a quota, with 403.

    Prompt and completion count, those of a streamed answer by estimate (llm-token-limit). Not available in
    Consumption.
    """

    tag: ClassVar[str] = "llm-token-limit"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    missing_in: ClassVar[frozenset[str]] = frozenset({CONSUMPTION})

    counter_key: str
    """Key, normally an expression such as `@(context.Subscription.Id)`; every scope that uses a key counts on it."""
    tokens_per_minute: int | str | None = None
    """Tokens allowed in a minute, at least 1, or an expression. Left out: no rate, only a quota."""
    token_quota: int | str | None = None
    """Tokens allowed in a `token_quota_period`, at least 1, or an expression that yields a `long`. Left out: no quota,
    only a rate."""
    token_quota_period: TokenQuotaPeriod | None = None
    """Period of `token_quota`, and given with it. Left out: no quota."""
    estimate_prompt_tokens: bool
    """Whether a prompt is estimated and refused beforehand where it would exceed the limit; otherwise what the answer
    reports counts, and the call that crosses the limit still passes."""
    prompt_type: PromptType | None = None
    """Shape of the prompts that are estimated. Left out: `auto`, by the request."""
    ignore_prompt: bool | None = None
    """Whether prompts do not count (inferred; the schema alone knows this option). Left out: they do."""
    retry_after_header_name: str | None = None
    """Header of a refusal that tells in how many seconds to try again. Left out: `Retry-After`."""
    retry_after_variable_name: str | None = None
    """Variable that receives the seconds to wait after a refusal. Left out: none does."""
    remaining_tokens_header_name: str | None = None
    """Response header that tells how many tokens of the rate are left. Left out: none does."""
    remaining_tokens_variable_name: str | None = None
    """Variable that receives how many tokens of the rate are left. Left out: none does."""
    remaining_quota_tokens_header_name: str | None = None
    """Response header that tells how many tokens of the quota are left. Left out: none does."""
    remaining_quota_tokens_variable_name: str | None = None
    """Variable that receives how many tokens of the quota are left. Left out: none does."""
    tokens_consumed_header_name: str | None = None
    """Response header that tells how many tokens the call spent. Left out: none does."""
    tokens_consumed_variable_name: str | None = None
    """Variable that receives the estimate of the prompt, or 0, and after the answer the tokens spent. Left out: none
    does."""

    def __post_init__(self) -> None:
        """Check that there is a limit, and a key to count on."""
        TypedPolicy.__post_init__(self)
        if (self.token_quota is None) != (self.token_quota_period is None):
            raise PolicyError(f"{self.tag} has only one of token_quota and token_quota_period; give both or neither")
        if self.tokens_per_minute is None and self.token_quota is None:
            raise PolicyError(
                f"{self.tag} limits nothing; give tokens_per_minute, or token_quota with token_quota_period, or both"
            )
        check_range(f"{self.tag} tokens_per_minute", self.tokens_per_minute, 1, INT_MAX)
        check_range(f"{self.tag} token_quota", self.token_quota, 1, LONG_MAX)
        check_filled(f"{self.tag} counter_key", self.counter_key)
        check_output_names(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureOpenAITokenLimit(LlmTokenLimit):
    """`LlmTokenLimit` by the name that it has for Azure OpenAI (azure-openai-token-limit)."""

    tag: ClassVar[str] = "azure-openai-token-limit"
