from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "set-header",
    Example('<set-header id="me" name="X-A"><value>1</value></set-header>'),
    attributes={"name": text("X-B"), "exists-action": text("append")},
    works=shows(sent(lambda request: request.headers["X-A"]), "1"),
    fails={
        "expression": thrown(f"<set-header id='me' name='X-A'><value>{THROWS}</value></set-header>"),
        "line break": thrown('<set-header id="me" name="X-A"><value>@("a\\r\\nb: c")</value></set-header>', "*"),
    },
)
