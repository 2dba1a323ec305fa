from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "rewrite-uri",
    Example('<rewrite-uri id="me" template="/other"/>'),
    attributes={"template": text("/x/y"), "copy-unmatched-params": literal("false")},
    works=shows(sent(lambda request: request.path), "/other"),
    fails={"expression": thrown(f"<rewrite-uri id='me' template='{THROWS}'/>")},
)
