from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows

RECORD = Record(
    "trace",
    Example('<trace id="me" source="s"><message>hello</message></trace>'),
    attributes={"source": text("s"), "severity": literal("error")},
    works=shows(lambda response: [(one.source, one.message) for one in response.traces], [("s", "hello")]),
    other_forms={"text alone": '<trace source="s"> hello </trace>'},
    fails={
        "expression": thrown(f"<trace id='me' source='s'><message>{THROWS}</message></trace>"),
        "expression as text": thrown(f"<trace id='me' source='s'>{THROWS}</trace>"),
    },
)
