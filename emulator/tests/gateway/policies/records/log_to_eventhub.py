from apim_emulator.gateway.telemetry import EventHubMessage
from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows

RECORD = Record(
    "log-to-eventhub",
    Example('<log-to-eventhub id="me" logger-id="l">hello</log-to-eventhub>'),
    attributes={"logger-id": literal("other"), "partition-id": literal("3"), "partition-key": text("key")},
    works=shows(lambda response: response.events, (EventHubMessage("l", "hello"),)),
    fails={
        "message": thrown(f"<log-to-eventhub id='me' logger-id='l'>{THROWS}</log-to-eventhub>"),
        "partition-key": thrown(f"<log-to-eventhub id='me' logger-id='l' partition-key='{THROWS}'>m</log-to-eventhub>"),
    },
)
