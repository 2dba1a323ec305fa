from emulator.tests.gateway.policies.failures import THROWING_CONDITION, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable

RECORD = Record(
    "choose",
    Example('<choose id="me"><when condition="true"><set-variable name="v" value="1"/></when></choose>'),
    attributes={},
    works=shows(variable, "1"),
    fails={"condition": thrown(f"<choose id='me'><when condition='{THROWING_CONDITION}'/></choose>")},
)
