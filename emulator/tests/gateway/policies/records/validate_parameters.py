from emulator.tests.gateway.policies.attributes import ACTION, literal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record, sends
from emulator.tests.gateway.policies.scenarios import turns_away
from emulator.tests.gateway.policies.stand_ins import DEFINED

RECORD = Record(
    "validate-parameters",
    Example(
        '<validate-parameters id="me" specified-parameter-action="prevent" unspecified-parameter-action="ignore"/>',
        bench={"api": DEFINED},
        call=sends(params={"n": "1"}),
    ),
    attributes={
        "specified-parameter-action": ACTION,
        "unspecified-parameter-action": ACTION,
        "errors-variable-name": literal("errors"),
    },
    works=turns_away(400, sends(params={"n": "many"})),
    fails={
        "specified": FailedCall(status=400, message="*", reason="Bad request", call=sends(params={"n": "many"})),
    },
)
