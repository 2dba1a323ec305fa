from emulator.tests.gateway.policies.attributes import YES, literal, number
from emulator.tests.gateway.policies.record import Example, NeverFails, Record
from emulator.tests.gateway.policies.scenarios import (
    ANSWER_KEPT_FOR_A_MINUTE,
    ANSWER_KEPT_FOR_ITS_PROMPT,
    semantic_lookup,
)
from emulator.tests.gateway.policies.stand_ins import embeddings, refuse


def _record(family: str) -> Record:
    return Record(
        f"{family}-semantic-cache-lookup",
        Example(
            semantic_lookup(family, 'id="me"'),
            after=f'<{family}-semantic-cache-store duration="60"/>',
            bench={"backends": {"embeddings": embeddings}},
        ),
        attributes={
            "score-threshold": literal("0.1"),
            "embeddings-backend-id": literal("embeddings"),
            "embeddings-backend-auth": literal("header"),
            "ignore-system-messages": YES,
            "max-message-count": number(3),
            "cache-id": literal("c"),
        },
        works=ANSWER_KEPT_FOR_ITS_PROMPT,
        fails=NeverFails("a look-up that fails is traced, and the call goes on", {"backends": {"embeddings": refuse}}),
        clock={"answer kept for its duration": ANSWER_KEPT_FOR_A_MINUTE},
    )


RECORD, AZURE_OPENAI = _record("llm"), _record("azure-openai")
