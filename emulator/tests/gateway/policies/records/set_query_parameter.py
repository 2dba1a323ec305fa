from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "set-query-parameter",
    Example('<set-query-parameter id="me" name="q"><value>1</value></set-query-parameter>'),
    attributes={"name": text("q"), "exists-action": text("append")},
    works=shows(sent(lambda request: request.params), {"q": ["1"]}),
    fails={
        "expression": thrown(f"<set-query-parameter id='me' name='q'><value>{THROWS}</value></set-query-parameter>"),
    },
)
