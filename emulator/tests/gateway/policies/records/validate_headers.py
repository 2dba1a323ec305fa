from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import ACTION, literal
from emulator.tests.gateway.policies.record import Call, Example, FailedCall, Record, Scenario
from emulator.tests.gateway.policies.scenarios import outcome
from emulator.tests.gateway.policies.stand_ins import DEFINED

RECORD = Record(
    "validate-headers",
    Example(
        '<validate-headers id="me" specified-header-action="prevent" unspecified-header-action="ignore"/>',
        section="outbound",
        bench={"api": DEFINED},
    ),
    attributes={
        "specified-header-action": ACTION,
        "unspecified-header-action": ACTION,
        "errors-variable-name": literal("errors"),
    },
    works=Scenario(
        outcome,
        (
            Call((200, ["backend"]), answers=(Reply(headers={"X-Count": "1"}),)),
            Call((502, ["backend"]), answers=(Reply(headers={"X-Count": "many"}),)),
        ),
    ),
    fails={
        "specified": FailedCall(
            status=502,
            message="The request could not be processed due to an internal error. Contact the API owner.",
            reason="Response not allowed",
            detail="*",
            bench={"backend": lambda _: Reply(headers={"X-Count": "many"})},
            forwards=True,
        ),
    },
)
