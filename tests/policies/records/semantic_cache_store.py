from typing import Any

from hypothesis import strategies as st

from policies import AzureOpenAISemanticCacheStore, LlmSemanticCacheStore
from policies.shared.checks import INT_MAX
from tests.policies.record import Record
from tests.policies.values import options, upto


def semantic_cache_store(kind: type[LlmSemanticCacheStore]) -> st.SearchStrategy[Any]:
    return options(kind, duration=upto(1, INT_MAX))


RECORD = Record(
    LlmSemanticCacheStore,
    examples=(LlmSemanticCacheStore(duration=1),),
    drawn=semantic_cache_store(LlmSemanticCacheStore),
    renders={
        "llm-semantic-cache-store": (LlmSemanticCacheStore(duration=60), '<llm-semantic-cache-store duration="60" />'),
    },
    refuses=(
        (
            lambda: LlmSemanticCacheStore(duration=0),
            "llm-semantic-cache-store duration 0 is not allowed; use 1 to 2147483647 seconds",
        ),
    ),
)


AZURE_OPENAI = Record(
    AzureOpenAISemanticCacheStore,
    examples=(AzureOpenAISemanticCacheStore(duration=1),),
    drawn=semantic_cache_store(AzureOpenAISemanticCacheStore),
    renders={
        "azure-openai-semantic-cache-store": (
            AzureOpenAISemanticCacheStore(id="c", duration="@(60)"),
            '<azure-openai-semantic-cache-store id="c" duration="@(60)" />',
        ),
    },
    refuses=(),
)
