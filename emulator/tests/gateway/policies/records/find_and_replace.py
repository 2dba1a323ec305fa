from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record, WholeResponse
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "find-and-replace",
    Example('<find-and-replace id="me" from="Hello" to="Bye"/>'),
    attributes={"from": text("Hello"), "to": text("Bye")},
    works=shows(sent(lambda request: request.json()["messages"][0]["content"]), "Bye"),
    fails={"expression": thrown(f"<find-and-replace id='me' from='{THROWS}' to='x'/>")},
    whole_response=WholeResponse(
        '<find-and-replace id="me" from="lo" to="LO"/>', lambda content: content.replace(b"lo", b"LO")
    ),
)
