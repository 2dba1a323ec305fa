from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import ACTION, literal
from emulator.tests.gateway.policies.record import Call, Example, FailedCall, Record, Scenario
from emulator.tests.gateway.policies.scenarios import outcome
from emulator.tests.gateway.policies.stand_ins import DEFINED

RECORD = Record(
    "validate-status-code",
    Example(
        '<validate-status-code id="me" unspecified-status-code-action="prevent"/>',
        section="outbound",
        bench={"api": DEFINED},
    ),
    attributes={"unspecified-status-code-action": ACTION, "errors-variable-name": literal("errors")},
    works=Scenario(outcome, (Call((200, ["backend"])), Call((502, ["backend"]), answers=(Reply(status_code=404),)))),
    fails={
        "unspecified": FailedCall(
            status=502,
            message="The request could not be processed due to an internal error. Contact the API owner.",
            reason="Response not allowed",
            detail="Response status code 404 is not allowed.",
            bench={"backend": lambda _: Reply(status_code=404)},
            forwards=True,
        ),
    },
)
