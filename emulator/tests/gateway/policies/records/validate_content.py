from emulator.tests.gateway.policies.attributes import ACTION, literal, number
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, WholeResponse, sends
from emulator.tests.gateway.policies.scenarios import turns_away
from emulator.tests.gateway.policies.stand_ins import DEFINED, JSON


def _element(unspecified: str) -> str:
    return (
        f'<validate-content id="me" unspecified-content-type-action="{unspecified}" max-size="1000" '
        'size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="prevent"/>'
        "</validate-content>"
    )


RECORD = Record(
    "validate-content",
    Example(_element("prevent"), bench={"api": DEFINED}, call=sends(headers=JSON)),
    attributes={
        "unspecified-content-type-action": ACTION,
        "max-size": number(9),
        "size-exceeded-action": ACTION,
        "errors-variable-name": literal("errors"),
    },
    works=turns_away(400, sends(json={})),
    fails={
        "schema": FailedCall(status=400, message="*", reason="Bad request", call=sends(json={}, headers=JSON)),
        "too large": FailedCall(
            status=400,
            message="*",
            reason="Bad request",
            call=sends(json={"messages": "x" * 2000}, headers=JSON),
        ),
    },
    whole_response=WholeResponse(_element("ignore")),
)
