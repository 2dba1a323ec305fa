from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import DENIED
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, sends
from emulator.tests.gateway.policies.scenarios import turns_away

RECORD = Record(
    "ip-filter",
    Example('<ip-filter id="me" action="forbid"><address>10.0.0.9</address></ip-filter>'),
    attributes={"action": text("allow")},
    works=turns_away(403, sends(remote="10.0.0.9")),
    fails={
        "forbidden": FailedCall(
            status=403,
            message="Forbidden",
            reason="CallerIpBlocked",
            detail=f"Caller IP address is blocked. {DENIED}",
            call=sends(remote="10.0.0.9"),
        ),
        "not allowed": FailedCall(
            status=403,
            message="Forbidden",
            reason="CallerIpNotAllowed",
            detail=f"Caller IP address 10.0.0.1 is not allowed. {DENIED}",
            element='<ip-filter id="me" action="allow"><address-range from="10.0.1.0" to="10.0.1.9"/></ip-filter>',
            call=sends(remote="10.0.0.1"),
        ),
    },
)
