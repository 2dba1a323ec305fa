from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.failures import thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import backends, shows

RECORD = Record(
    "return-response",
    Example('<return-response id="me"><set-status code="418" reason="Teapot"/></return-response>'),
    attributes={"response-variable-name": literal("v")},
    works=shows(lambda response: (response.reason, backends(response)), ("Teapot", [])),
    fails={"no response": thrown('<return-response id="me" response-variable-name="absent"/>')},
    calls_backend=False,
)
