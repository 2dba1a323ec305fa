"""`llm-token-limit` and `azure-openai-token-limit`: limit the tokens for each value of a key."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.shared.checks import INT_MAX, LONG_MAX, check_not_blank, check_output_names, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import CONSUMPTION, INBOUND_ONLY, Section, TypedPolicy


class TokenQuotaPeriod(StrEnum):
    """How long a token quota lasts before it starts over, counted in UTC."""

    HOURLY = "Hourly"
    DAILY = "Daily"
    WEEKLY = "Weekly"
    MONTHLY = "Monthly"
    YEARLY = "Yearly"
    INDEFINITE = "Indefinite"
    """The quota never starts over (inferred; only the schema has this value)."""


class PromptType(StrEnum):
    """Shape of the prompts whose tokens are estimated (inferred; only the schema has these values)."""

    AUTO = "auto"
    CHAT_COMPLETION = "chat-completion"
    COMPLETION = "completion"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmTokenLimit(TypedPolicy):
    """Refuses the calls for a key beyond a token rate limit with 429, and beyond a token quota with 403.

    The tokens of prompt and completion count; those of a streamed answer are estimated (llm-token-limit). Not available
    in Consumption.
    """

    tag: ClassVar[str] = "llm-token-limit"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    missing_in: ClassVar[frozenset[str]] = frozenset({CONSUMPTION})

    counter_key: str
    """Key, normally an expression such as `@(context.Subscription.Id)`; all scopes that use a key share its counter."""
    tokens_per_minute: int | str | None = None
    """Tokens allowed in a minute, at least 1, or an expression. By default there is no rate limit, only a quota."""
    token_quota: int | str | None = None
    """Tokens allowed in a `token_quota_period`, at least 1, or an expression that yields a `long`. By default there is
    no quota, only a rate limit."""
    token_quota_period: TokenQuotaPeriod | None = None
    """Period of `token_quota`; required with it."""
    estimate_prompt_tokens: bool
    """Whether a prompt's tokens are estimated, and a call that would exceed the limit is refused beforehand. Otherwise
    the tokens that the answer reports count, and the call that exceeds the limit still succeeds."""
    prompt_type: PromptType | None = None
    """Format of the prompts whose tokens are estimated. Defaults to `auto`, which follows the request."""
    ignore_prompt: bool | None = None
    """Whether prompts are not counted (inferred; only the schema has this option). Defaults to false."""
    retry_after_header_name: str | None = None
    """Header of a refusal with the seconds after which to retry. Defaults to `Retry-After`."""
    retry_after_variable_name: str | None = None
    """Variable that receives the seconds to wait after a refusal. Defaults to none."""
    remaining_tokens_header_name: str | None = None
    """Response header with the number of tokens left within the rate limit. Defaults to none."""
    remaining_tokens_variable_name: str | None = None
    """Variable that receives the number of tokens left within the rate limit. Defaults to none."""
    remaining_quota_tokens_header_name: str | None = None
    """Response header with the number of tokens left in the quota. Defaults to none."""
    remaining_quota_tokens_variable_name: str | None = None
    """Variable that receives the number of tokens left in the quota. Defaults to none."""
    tokens_consumed_header_name: str | None = None
    """Response header with the number of tokens that the call used. Defaults to none."""
    tokens_consumed_variable_name: str | None = None
    """Variable that receives the estimate of the prompt, or 0, and after the answer the number of tokens used. Defaults
    to none."""

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
        check_not_blank(f"{self.tag} counter_key", self.counter_key)
        check_output_names(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureOpenAITokenLimit(LlmTokenLimit):
    """`LlmTokenLimit` under its name for Azure OpenAI (azure-openai-token-limit)."""

    tag: ClassVar[str] = "azure-openai-token-limit"
