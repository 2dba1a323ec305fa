from emulator.tests.gateway.policies.attributes import NO, YES, number, text
from emulator.tests.gateway.policies.record import Call, Example, FailedCall, Record, Scenario, sends
from emulator.tests.gateway.policies.scenarios import outcome
from emulator.tests.gateway.policies.stand_ins import HARM, checker, refuse

RECORD = Record(
    "llm-content-safety",
    Example(
        '<llm-content-safety id="me" backend-id="checker"><categories><category name="Hate" threshold="4"/>'
        "</categories></llm-content-safety>",
        bench={"backends": {"checker": checker}},
    ),
    attributes={
        "backend-id": text("checker"),
        "shield-prompt": NO,
        "enforce-on-completions": YES,
        "window-size": number(9),
        "window-overlap-size": number(2),
    },
    works=Scenario(outcome, (Call((200, ["checker", "backend"])), Call((403, ["checker"]), sends=sends(json=HARM)))),
    fails={
        "found": FailedCall(
            status=403,
            message="Request failed content safety check.",
            reason="ContentSafetyCheckFailed",
            call=sends(json=HARM),
        ),
        "checker fails": FailedCall(
            status=403,
            message="Request failed content safety check.",
            reason="ContentSafetyCheckFailed",
            bench={"backends": {"checker": refuse}},
        ),
    },
)
