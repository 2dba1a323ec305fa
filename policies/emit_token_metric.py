"""`llm-emit-token-metric` and `azure-openai-emit-token-metric`: send the tokens of a call to Application Insights."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.checks import check_literal
from policies.shared.dimension import Dimension, check_dimensions
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, options_element


class TokenMetric(StrEnum):
    """Which tokens a metric counts (only the schema has these values)."""

    ALL = "all"
    TOTAL_TOKENS = "total-tokens"
    PROMPT_TOKENS = "prompt-tokens"
    COMPLETION_TOKENS = "completion-tokens"


@dataclass(frozen=True, kw_only=True, slots=True)
class LlmEmitTokenMetric(TypedPolicy):
    """Sends the number of tokens of a call to Application Insights (llm-emit-token-metric).

    It does not change the response. The tokens of a streamed answer are estimated.
    """

    tag: ClassVar[str] = "llm-emit-token-metric"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    namespace: str | None = None
    """Namespace of the metrics, literal. Defaults to `API Management`."""
    name: str | None = None
    """Name of the metric (inferred; only the schema has this option). Defaults to a name for each kind of token."""
    value_type: TokenMetric | None = None
    """Which tokens are sent. Defaults to `all`, a metric for each kind."""
    ignore_prompt: bool | None = None
    """Whether prompts are not counted (inferred; only the schema has this option). Defaults to false."""
    dimensions: list[Dimension]
    """Dimensions, 1 to 10, of which at most 5 custom."""

    def __post_init__(self) -> None:
        """Check names and dimensions."""
        TypedPolicy.__post_init__(self)
        check_literal(f"{self.tag} namespace", self.namespace)
        check_literal(f"{self.tag} name", self.name)
        check_dimensions(self.tag, self.dimensions)

    def children(self) -> Iterable[ET.Element]:
        """Return the dimensions."""
        return [options_element("dimension", dimension) for dimension in self.dimensions]


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureOpenAIEmitTokenMetric(LlmEmitTokenMetric):
    """`LlmEmitTokenMetric` under its name for Azure OpenAI (azure-openai-emit-token-metric)."""

    tag: ClassVar[str] = "azure-openai-emit-token-metric"
