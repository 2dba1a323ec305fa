from emulator.tests.gateway.policies.attributes import NO, YES
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record, sends
from emulator.tests.gateway.policies.scenarios import shows

RECORD = Record(
    "cors",
    Example(
        '<cors id="me"><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>',
        call=sends(headers={"Origin": "https://a.example"}),
    ),
    attributes={"allow-credentials": YES, "terminate-unmatched-request": NO},
    works=shows(lambda response: response.headers["Access-Control-Allow-Origin"], "https://a.example"),
    fails={
        "expression": thrown(f"<cors id='me'><allowed-origins><origin>{THROWS}</origin></allowed-origins></cors>"),
    },
)
