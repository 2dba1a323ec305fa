from emulator.tests.gateway.policies.attributes import NO, YES, literal
from emulator.tests.gateway.policies.failures import THROWS, thrown
from emulator.tests.gateway.policies.record import Example, Record, sends
from emulator.tests.gateway.policies.scenarios import (
    FIRST_CALLER,
    RESPONSE_KEPT_FOR_A_MINUTE,
    RESPONSE_KEPT_FOR_ITS_CALLER,
    response_lookup,
)

RECORD = Record(
    "cache-lookup",
    Example(
        response_lookup('id="me"'),
        before="<set-method>GET</set-method>",
        after='<cache-store duration="60"/>',
        call=FIRST_CALLER,
    ),
    attributes={
        "vary-by-developer": YES,
        "vary-by-developer-groups": literal("false"),
        "allow-private-response-caching": NO,
        "caching-type": literal("internal"),
        "downstream-caching-type": literal("none"),
        "must-revalidate": NO,
    },
    works=RESPONSE_KEPT_FOR_ITS_CALLER,
    fails={
        "expression": thrown(
            "<cache-lookup id='me' vary-by-developer='false' vary-by-developer-groups='false'>"
            f"<vary-by-header>{THROWS}</vary-by-header></cache-lookup>",
            call=sends(headers={}),
        ),
    },
    clock={"response kept for its duration": RESPONSE_KEPT_FOR_A_MINUTE},
)
