from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable

RECORD = Record(
    "set-variable",
    Example('<set-variable id="me" name="v" value="1"/>'),
    attributes={"name": literal("v"), "value": text("x")},
    works=shows(variable, "1"),
    fails={"expression": thrown(f"<set-variable id='me' name='v' value='{THROWS}'/>")},
)
