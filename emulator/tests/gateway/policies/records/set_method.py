from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "set-method",
    Example('<set-method id="me">PUT</set-method>'),
    attributes={},
    works=shows(sent(lambda request: request.method), "PUT"),
    fails={"expression": thrown(f"<set-method id='me'>{THROWS}</set-method>")},
)
