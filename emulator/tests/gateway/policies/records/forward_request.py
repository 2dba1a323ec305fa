from dataclasses import replace

from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import literal, number
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Example, FailedCall, Record
from emulator.tests.gateway.policies.scenarios import shows
from emulator.tests.gateway.policies.stand_ins import ANSWER, late, refuse

RECORD = Record(
    "forward-request",
    Example('<forward-request id="me"/>', section="backend"),
    attributes={
        "timeout": number(5),
        "timeout-ms": replace(number(5000), instead_of="timeout"),
        "fail-on-error-status-code": literal("true"),
        "buffer-request-body": literal("true"),
        "buffer-response": literal("false"),
        "follow-redirects": literal("false"),
        "http-version": literal("1"),
    },
    works=shows(lambda response: (response.json(), len(response.requests)), (ANSWER, 1)),
    fails={
        "refused": internal(
            "BackendConnectionFailure", "no response: ConnectionRefusedError", bench={"backend": refuse}, forwards=True
        ),
        "timeout": internal("Timeout", "the backend did not answer in time", bench={"backend": late}, forwards=True),
        "error status": FailedCall(
            status=502,
            message="",
            reason="BackendResponseFailure",
            detail="*",
            element='<forward-request id="me" fail-on-error-status-code="true"/>',
            bench={"backend": lambda _: Reply(status_code=502)},
            forwards=True,
        ),
    },
)
