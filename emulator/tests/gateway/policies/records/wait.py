from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable
from emulator.tests.gateway.policies.stand_ins import refuse

RECORD = Record(
    "wait",
    Example(
        '<wait id="me" for="all"><cache-store-value key="k" value="1" duration="60"/>'
        '<send-request response-variable-name="v"><set-url>https://audit.test/</set-url></send-request></wait>',
        bench={"hosts": {"audit.test": lambda _: Reply(status_code=202)}},
    ),
    attributes={"for": text("any")},
    works=shows(variable, 202),
    fails={
        "inside": internal(
            "BackendConnectionFailure",
            "no response: ConnectionRefusedError",
            element='<wait for="all"><send-request id="me"><set-url>https://audit.test/</set-url></send-request></wait>',
            bench={"hosts": {"audit.test": refuse}},
            path="wait/send-request",
        ),
    },
)
