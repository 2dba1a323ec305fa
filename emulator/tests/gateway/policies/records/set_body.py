from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record, WholeResponse
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "set-body",
    Example('<set-body id="me">new</set-body>'),
    attributes={"template": literal("liquid")},
    works=shows(sent(lambda request: request.text), "new"),
    other_forms={
        "liquid": '<set-variable name="v" value="w"/>'
        '<set-body template="liquid">ne{{context.Variables["v"]}}</set-body>',
    },
    fails={
        "expression": thrown(f"<set-body id='me'>{THROWS}</set-body>"),
        "template": thrown(
            '<set-variable name="v" value="@(1.5)"/>'
            '<set-body id="me" template="liquid">{{context.Variables["v"]}}</set-body>',
            "NotSupportedException",
        ),
    },
    whole_response=WholeResponse('<set-body id="me">@(context.Response.Body.As&lt;string&gt;())</set-body>'),
)
