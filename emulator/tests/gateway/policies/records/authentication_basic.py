from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "authentication-basic",
    Example('<authentication-basic id="me" username="user" password="pass"/>'),
    attributes={"username": text("user"), "password": text("pass")},
    works=shows(sent(lambda request: request.headers.getall("Authorization")), ["Basic dXNlcjpwYXNz"]),
    fails={
        "username": thrown(f"<authentication-basic id='me' username='{THROWS}' password='p'/>"),
        "password": thrown(f"<authentication-basic id='me' username='u' password='{THROWS}'/>"),
    },
)
