from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import metrics, shows


def _record(name: str) -> Record:
    return Record(
        name,
        Example(f'<{name} id="me"><dimension name="d" value="x"/></{name}>'),
        attributes={
            "namespace": literal("n"),
            "name": literal("m"),
            "value-type": literal("all"),
            "ignore-prompt": literal("true"),
        },
        works=shows(metrics, {"Total Tokens": 15, "Prompt Tokens": 10, "Completion Tokens": 5}),
        fails={"expression": thrown(f"<{name} id='me'><dimension name='d' value='{THROWS}'/></{name}>")},
    )


RECORD = _record("llm-emit-token-metric")
AZURE_OPENAI = _record("azure-openai-emit-token-metric")
