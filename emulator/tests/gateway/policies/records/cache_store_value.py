from emulator.tests.gateway.policies.attributes import CACHE, number, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Call, Example, Record, Scenario
from emulator.tests.gateway.policies.scenarios import shows, variable

STORED_ONCE = (
    '<cache-lookup-value key="k" variable-name="v" default-value="none"/>'
    '<choose><when condition=\'@((string)context.Variables["v"] == "none")\'>'
    '<cache-store-value id="me" key="k" value="1" duration="60"/></when></choose>'
)
"""What is found before it is stored, if it was not."""

RECORD = Record(
    "cache-store-value",
    Example(
        '<cache-store-value id="me" key="k" value="1" duration="60"/><cache-lookup-value key="k" variable-name="v"/>'
    ),
    attributes={**CACHE, "value": text("x"), "duration": number(5)},
    works=shows(variable, "1"),
    fails={
        "expression": thrown(f"<cache-store-value id='me' key='k' value='{THROWS}' duration='1'/>"),
        "duration": thrown(
            "<cache-store-value id='me' key='k' value='1' duration='@(-1)'/>", "ArgumentOutOfRangeException"
        ),
    },
    clock={
        "value kept for its duration": Scenario(
            variable, (Call("none"), Call("1", at=59), Call("none", at=60)), element=STORED_ONCE
        ),
    },
)
