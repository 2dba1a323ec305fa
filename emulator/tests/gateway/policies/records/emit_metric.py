from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.failures import thrown
from emulator.tests.gateway.policies.record import Attribute, Example, Record
from emulator.tests.gateway.policies.scenarios import metrics, shows

RECORD = Record(
    "emit-metric",
    Example('<emit-metric id="me" name="calls" value="2"><dimension name="d" value="x"/></emit-metric>'),
    attributes={
        "name": literal("name"),
        "namespace": literal("n"),
        "value": Attribute(literal="2", expression="@(2)"),
        "default-dimensions": literal("true"),
    },
    works=shows(metrics, {"calls": 2}),
    fails={
        "no number": thrown(
            "<emit-metric id='me' name='n' value='@(double.Parse(\"x\"))'><dimension name='API ID'/></emit-metric>",
            "FormatException",
        ),
    },
)
