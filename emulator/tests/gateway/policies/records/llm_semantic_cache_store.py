from emulator.tests.gateway.policies.attributes import number
from emulator.tests.gateway.policies.record import Example, NeverFails, Record
from emulator.tests.gateway.policies.scenarios import (
    ANSWER_KEPT_FOR_A_MINUTE,
    ANSWER_KEPT_FOR_ITS_PROMPT,
    semantic_lookup,
)
from emulator.tests.gateway.policies.stand_ins import embeddings, refuse


def _record(family: str) -> Record:
    return Record(
        f"{family}-semantic-cache-store",
        Example(
            f'<{family}-semantic-cache-store id="me" duration="60"/>',
            section="outbound",
            before=semantic_lookup(family),
            bench={"backends": {"embeddings": embeddings}},
        ),
        attributes={"duration": number(9)},
        works=ANSWER_KEPT_FOR_ITS_PROMPT,
        fails=NeverFails("it comes after the response, which it never changes", {"backends": {"embeddings": refuse}}),
        clock={"answer kept for its duration": ANSWER_KEPT_FOR_A_MINUTE},
    )


RECORD, AZURE_OPENAI = _record("llm"), _record("azure-openai")
