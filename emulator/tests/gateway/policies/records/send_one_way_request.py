from emulator.tests.gateway.policies.attributes import number, text
from emulator.tests.gateway.policies.failures import THROWS, internal, thrown
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import backends, shows
from emulator.tests.gateway.policies.stand_ins import unavailable

RECORD = Record(
    "send-one-way-request",
    Example(
        '<send-one-way-request id="me"><set-url>https://audit.test/</set-url></send-one-way-request>',
        bench={"hosts": {"audit.test": unavailable}},
    ),
    attributes={"mode": text("copy"), "timeout": number(9)},
    works=shows(backends, ["audit.test", "backend"]),
    fails={
        "URL": thrown(f"<send-one-way-request id='me'><set-url>{THROWS}</set-url></send-one-way-request>"),
        "no URL": internal(
            "BackendConnectionFailure",
            "there is no URL to send the request to",
            element="<send-one-way-request id='me' mode='@(\"new\")'/>",
        ),
        "mode": thrown("<send-one-way-request id='me' mode='@(\"old\")'/>", "ArgumentException"),
    },
)
