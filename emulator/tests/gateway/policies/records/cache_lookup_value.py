from emulator.tests.gateway.policies.attributes import CACHE, literal, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable

RECORD = Record(
    "cache-lookup-value",
    Example(
        '<cache-lookup-value id="me" key="k" variable-name="v" default-value="none"/>',
        before='<cache-store-value key="k" value="1" duration="60"/>',
    ),
    attributes={**CACHE, "variable-name": literal("v"), "default-value": text("x")},
    works=shows(variable, "1"),
    fails={"expression": thrown(f"<cache-lookup-value id='me' key='{THROWS}' variable-name='v'/>")},
)
