import math
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import AzureOpenAISemanticCacheLookup, EmbeddingsBackendAuth, LlmSemanticCacheLookup
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_texts
from tests.policies.record import Record
from tests.policies.values import filled, flags, maybe, options, plain


def semantic_cache_lookup(kind: type[LlmSemanticCacheLookup]) -> st.SearchStrategy[Any]:
    return options(
        kind,
        score_threshold=st.floats(0, 1) | st.sampled_from([0, 1]),
        embeddings_backend_id=plain,
        embeddings_backend_auth=maybe(st.sampled_from(EmbeddingsBackendAuth)),
        ignore_system_messages=maybe(flags),
        max_message_count=maybe(st.integers(1, INT_MAX)),
        cache_id=maybe(plain),
        vary_by=st.lists(filled, max_size=3),
    )


LOOKUP: dict[str, Any] = {"score_threshold": 0.05, "embeddings_backend_id": "a"}


def _lookup(**options: Any) -> LlmSemanticCacheLookup:
    return LlmSemanticCacheLookup(**{"score_threshold": 0.05, "embeddings_backend_id": "b", **options})


def _children(element: ET.Element) -> dict[str, Any]:
    return {"vary_by": read_texts(element, "vary-by")}


SUBSCRIPTION = "@(context.Subscription.Id)"

RECORD = Record(
    LlmSemanticCacheLookup,
    examples=(LlmSemanticCacheLookup(**LOOKUP),),
    drawn=semantic_cache_lookup(LlmSemanticCacheLookup),
    renders={
        "llm-semantic-cache-lookup uses the system-assigned identity by default": (
            LlmSemanticCacheLookup(score_threshold=0.05, embeddings_backend_id="embeddings"),
            '<llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings" '
            'embeddings-backend-auth="system-assigned" />',
        ),
    },
    refuses=(
        *(
            (
                lambda score=score: _lookup(score_threshold=score),
                f"llm-semantic-cache-lookup score_threshold {score} is not allowed; use 0 to 1",
            )
            for score in (-0.1, 1.01, math.nan, 2)
        ),
        (
            lambda: _lookup(score_threshold="0.05"),
            "llm-semantic-cache-lookup score_threshold '0.05' is not allowed; use a number",
        ),
        (
            lambda: _lookup(score_threshold=True),
            "llm-semantic-cache-lookup score_threshold True is not allowed; use a number",
        ),
        (
            lambda: _lookup(embeddings_backend_id=""),
            "llm-semantic-cache-lookup embeddings_backend_id '' is empty; give it a value",
        ),
        (
            lambda: _lookup(max_message_count=0),
            "llm-semantic-cache-lookup max_message_count 0 is not allowed; use 1 to 2147483647",
        ),
        (lambda: _lookup(vary_by=[" "]), "llm-semantic-cache-lookup vary_by ' ' is empty; give it a value"),
    ),
    children=_children,
)


AZURE_OPENAI = Record(
    AzureOpenAISemanticCacheLookup,
    examples=(AzureOpenAISemanticCacheLookup(**LOOKUP),),
    drawn=semantic_cache_lookup(AzureOpenAISemanticCacheLookup),
    renders={
        "azure-openai-semantic-cache-lookup takes every option": (
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
        ),
    },
    refuses=(),
    children=_children,
)
