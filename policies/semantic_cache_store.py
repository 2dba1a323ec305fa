"""`llm-semantic-cache-store` and `azure-openai-semantic-cache-store`: cache an answer for similar prompts."""

from dataclasses import dataclass
from typing import ClassVar

from policies.shared.checks import INT_MAX, check_range
from policies.shared.policy import Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmSemanticCacheStore(TypedPolicy):
    """Stores an answer of status 200 in the external cache, for `LlmSemanticCacheLookup` (llm-semantic-cache-store).

    Allowed once a section.
    """

    tag: ClassVar[str] = "llm-semantic-cache-store"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.OUTBOUND})
    once: ClassVar[bool] = True

    duration: int | str
    """Seconds for which the answer is cached, at least 1, or an expression."""

    def __post_init__(self) -> None:
        """Check the duration."""
        TypedPolicy.__post_init__(self)
        check_range(f"{self.tag} duration", self.duration, 1, INT_MAX, "seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureOpenAISemanticCacheStore(LlmSemanticCacheStore):
    """`LlmSemanticCacheStore` under its name for Azure OpenAI (azure-openai-semantic-cache-store)."""

    tag: ClassVar[str] = "azure-openai-semantic-cache-store"
