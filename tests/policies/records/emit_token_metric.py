from typing import Any

from hypothesis import strategies as st

from policies import AzureOpenAIEmitTokenMetric, Dimension, LlmEmitTokenMetric, TokenMetric
from tests.policies.reader import read_dimensions
from tests.policies.record import Record
from tests.policies.values import dimensions, flags, maybe, options, plain


def emit_token_metric(kind: type[LlmEmitTokenMetric]) -> st.SearchStrategy[Any]:
    return options(
        kind,
        namespace=maybe(plain),
        name=maybe(plain),
        value_type=maybe(st.sampled_from(TokenMetric)),
        ignore_prompt=maybe(flags),
        dimensions=dimensions,
    )


LOCATION = [Dimension(name="Location")]

RECORD = Record(
    LlmEmitTokenMetric,
    examples=(LlmEmitTokenMetric(dimensions=[Dimension(name="API ID")]),),
    drawn=emit_token_metric(LlmEmitTokenMetric),
    renders={
        "llm-emit-token-metric needs a dimension": (
            LlmEmitTokenMetric(dimensions=[Dimension(name="API ID")]),
            """
        <llm-emit-token-metric>
            <dimension name="API ID" />
        </llm-emit-token-metric>
        """,
        ),
    },
    refuses=(
        (
            lambda: LlmEmitTokenMetric(dimensions=[Dimension(name=f"d{i}", value="v") for i in range(6)]),
            "llm-emit-token-metric has 6 dimensions, 6 of them custom; use at most 10, at most 5 of them custom",
        ),
        (
            lambda: LlmEmitTokenMetric(namespace="@(1)", dimensions=LOCATION),
            "llm-emit-token-metric namespace '@(1)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
    ),
    children=read_dimensions,
)


AZURE_OPENAI = Record(
    AzureOpenAIEmitTokenMetric,
    examples=(AzureOpenAIEmitTokenMetric(dimensions=[Dimension(name="API ID")]),),
    drawn=emit_token_metric(AzureOpenAIEmitTokenMetric),
    renders={
        "azure-openai-emit-token-metric takes every option": (
            AzureOpenAIEmitTokenMetric(
                id="m",
                namespace="llm",
                name="tokens",
                value_type=TokenMetric.PROMPT_TOKENS,
                ignore_prompt=False,
                dimensions=[Dimension(name="Caller", value="@(context.Request.IpAddress)"), Dimension(name="User ID")],
            ),
            """
        <azure-openai-emit-token-metric id="m" namespace="llm" name="tokens" value-type="prompt-tokens" \
ignore-prompt="false">
            <dimension name="Caller" value="@(context.Request.IpAddress)" />
            <dimension name="User ID" />
        </azure-openai-emit-token-metric>
        """,
        ),
    },
    refuses=(),
    children=read_dimensions,
)
