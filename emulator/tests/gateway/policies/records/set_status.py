from emulator.tests.gateway.policies.attributes import number, text
from emulator.tests.gateway.policies.failures import thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows
from emulator.tests.gateway.policies.stand_ins import ANSWER

RECORD = Record(
    "set-status",
    Example('<set-status id="me" code="418" reason="Teapot"/>', section="outbound"),
    attributes={"code": number(418), "reason": text("Teapot")},
    works=shows(lambda response: (response.status_code, response.reason, response.json()), (418, "Teapot", ANSWER)),
    fails={"code": thrown("<set-status id='me' code='@(99)'/>", "ArgumentOutOfRangeException", forwards=True)},
)
