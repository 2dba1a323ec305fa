from dataclasses import replace

from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import NO, YES, number
from emulator.tests.gateway.policies.failures import THROWING_CONDITION, internal, thrown
from emulator.tests.gateway.policies.record import Call, Example, Record, Scenario
from emulator.tests.gateway.policies.scenarios import outcome
from emulator.tests.gateway.policies.stand_ins import refuse, unavailable

RECORD = Record(
    "retry",
    Example(
        '<retry id="me" condition="@(context.Response.StatusCode == 503)" count="2" interval="10">'
        '<forward-request buffer-request-body="true"/></retry>',
        section="backend",
        bench={"backend": unavailable},
    ),
    attributes={
        "condition": NO,
        "count": number(2),
        "interval": number(3),
        "delta": number(2),
        "max-interval": replace(number(9), needs={"delta": "2"}),
        "first-fast-retry": YES,
    },
    works=Scenario(
        outcome,
        (
            Call((200, ["backend"]), answers=(Reply(),)),
            Call((200, ["backend", "backend"]), answers=(Reply(status_code=503), Reply())),
            Call((503, ["backend", "backend", "backend"])),
        ),
    ),
    fails={
        "backend fails to the end": internal(
            "BackendConnectionFailure",
            "no response: ConnectionRefusedError",
            element='<retry id="other" condition="true" count="2" interval="1"><forward-request id="me"/></retry>',
            bench={"backend": refuse},
            path="retry/forward-request",
            forwards=True,
        ),
        "condition": thrown(
            f"<retry id='me' condition='{THROWING_CONDITION}' count='1' interval='0'><forward-request/></retry>",
            forwards=True,
        ),
    },
)
