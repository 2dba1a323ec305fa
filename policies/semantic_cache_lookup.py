"""`llm-semantic-cache-lookup` and `azure-openai-semantic-cache-lookup`: answer a prompt as an earlier, similar one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import INT_MAX, check_literal, check_not_blank, check_range
from policies.shared.errors import PolicyError
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, text_element


class EmbeddingsBackendAuth(StrEnum):
    """How the gateway authenticates to the embeddings backend."""

    SYSTEM_ASSIGNED = "system-assigned"
    """With its system-assigned identity."""
    HEADER = "header"
    """With the backend's own credentials (inferred; only the schema has this value)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmSemanticCacheLookup(TypedPolicy):
    """Answers from the external cache where a prompt is close enough to an earlier one (llm-semantic-cache-lookup).

    It needs the matching `LlmSemanticCacheStore`, and is allowed once a section. If the look-up fails, the call goes
    on.
    """

    tag: ClassVar[str] = "llm-semantic-cache-lookup"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY
    once: ClassVar[bool] = True

    score_threshold: float
    """Distance of two prompts, 0 to 1, up to which they count as the same; lower is stricter. Start with 0.05; above
    0.2, answers may no longer fit."""
    embeddings_backend_id: str
    """Backend resource of the embeddings API."""
    embeddings_backend_auth: EmbeddingsBackendAuth | None = EmbeddingsBackendAuth.SYSTEM_ASSIGNED
    """How the gateway authenticates there. `None`: the schema's default, the system-assigned identity."""
    ignore_system_messages: bool | None = None
    """Whether system messages are ignored in the comparison. Defaults to false."""
    max_message_count: int | None = None
    """Messages of a dialogue, at least 1, beyond which the cache is skipped. By default it is never skipped."""
    cache_id: str | None = None
    """Cache resource (inferred; only the schema has this option). Defaults to the cache of the gateway's region."""
    vary_by: list[str] = field(default_factory=list)
    """Expressions whose values, joined, divide the cache, such as `@(context.Subscription.Id)`. By default callers get
    answers to each other's prompts."""

    def __post_init__(self) -> None:
        """Check threshold, backend and partitions."""
        TypedPolicy.__post_init__(self)
        if not 0 <= self.score_threshold <= 1:
            raise PolicyError(f"{self.tag} score_threshold {self.score_threshold} is not allowed; use 0 to 1")
        check_literal(f"{self.tag} embeddings_backend_id", self.embeddings_backend_id)
        check_range(f"{self.tag} max_message_count", self.max_message_count, 1, INT_MAX)
        check_literal(f"{self.tag} cache_id", self.cache_id)
        for value in self.vary_by:
            check_not_blank(f"{self.tag} vary_by", value)

    def children(self) -> Iterable[ET.Element]:
        """Return what divides the cache."""
        return [text_element("vary-by", value) for value in self.vary_by]


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureOpenAISemanticCacheLookup(LlmSemanticCacheLookup):
    """`LlmSemanticCacheLookup` under its name for Azure OpenAI (azure-openai-semantic-cache-lookup)."""

    tag: ClassVar[str] = "azure-openai-semantic-cache-lookup"
