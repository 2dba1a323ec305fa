from emulator.tests.gateway.policies.attributes import NO, number
from emulator.tests.gateway.policies.failures import THROWING_CONDITION, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import (
    FIRST_CALLER,
    RESPONSE_KEPT_FOR_A_MINUTE,
    RESPONSE_KEPT_FOR_ITS_CALLER,
    response_lookup,
)

RECORD = Record(
    "cache-store",
    Example(
        '<cache-store id="me" duration="60"/>',
        section="outbound",
        before=f"<set-method>GET</set-method>{response_lookup()}",
        call=FIRST_CALLER,
    ),
    attributes={"duration": number(9), "cache-response": NO},
    works=RESPONSE_KEPT_FOR_ITS_CALLER,
    fails={
        "expression": thrown(
            f"<cache-store id='me' duration='60' cache-response='{THROWING_CONDITION}'/>", forwards=True
        ),
        "duration": thrown("<cache-store id='me' duration='@(0)'/>", "ArgumentOutOfRangeException", forwards=True),
    },
    clock={"response kept for its duration": RESPONSE_KEPT_FOR_A_MINUTE},
)
