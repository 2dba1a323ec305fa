from emulator.tests.gateway.policies.attributes import NO, number, text
from emulator.tests.gateway.policies.failures import DENIED
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, sends
from emulator.tests.gateway.policies.scenarios import turns_away

RECORD = Record(
    "check-header",
    Example(
        '<check-header id="me" name="X-Team" failed-check-httpcode="401" ignore-case="true"><value>blue</value>'
        "</check-header>",
        call=sends(headers={"X-Team": "Blue"}),
    ),
    attributes={
        "name": text("X-Team"),
        "failed-check-httpcode": number(418),
        "failed-check-error-message": text("no"),
        "ignore-case": NO,
    },
    works=turns_away(401, sends(headers={"X-Team": "red"})),
    fails={
        "absent": FailedCall(
            status=401,
            message=f"Header X-Team was not found in the request. {DENIED}",
            reason="HeaderNotFound",
            call=sends(headers={}),
        ),
        "value": FailedCall(
            status=401,
            message=f"Header X-Team value of red is not allowed. {DENIED}",
            reason="HeaderValueNotAllowed",
            call=sends(headers={"X-Team": "red"}),
        ),
        "own message": FailedCall(
            status=418,
            message="Who?",
            reason="HeaderNotFound",
            detail=f"Header X was not found in the request. {DENIED}",
            element='<check-header id="me" name="X" failed-check-httpcode="418" failed-check-error-message="Who?"/>',
            phrase="I'm a Teapot",
        ),
    },
)
