from emulator.tests.gateway.policies.attributes import CACHE
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable

RECORD = Record(
    "cache-remove-value",
    Example(
        '<cache-remove-value id="me" key="k"/><cache-lookup-value key="k" variable-name="v" default-value="-"/>',
        before='<cache-store-value key="k" value="1" duration="60"/>',
    ),
    attributes=CACHE,
    works=shows(variable, "-"),
    fails={"expression": thrown(f"<cache-remove-value id='me' key='{THROWS}'/>")},
)
