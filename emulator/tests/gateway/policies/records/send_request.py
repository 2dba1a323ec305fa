from dataclasses import replace

from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import literal, number, text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import shows, variable
from emulator.tests.gateway.policies.stand_ins import late, refuse, unavailable

RECORD = Record(
    "send-request",
    Example(
        '<send-request id="me" response-variable-name="v"><set-url>https://audit.test/</set-url></send-request>',
        bench={"hosts": {"audit.test": lambda _: Reply(status_code=202)}},
    ),
    attributes={
        "mode": text("copy"),
        "timeout": number(9),
        "timeout-ms": replace(number(9000), instead_of="timeout"),
        "response-variable-name": literal("v"),
        "ignore-error": literal("true"),
        "fail-on-error-status-code": literal("true"),
        "buffer-response": literal("false"),
    },
    works=shows(variable, 202),
    fails={
        "refused": internal(
            "BackendConnectionFailure",
            "no response: ConnectionRefusedError",
            bench={"hosts": {"audit.test": refuse}},
        ),
        "timeout": internal("Timeout", "the service did not answer in time", bench={"hosts": {"audit.test": late}}),
        "unknown host": internal(
            "BackendConnectionFailure", "host audit.test is not served by the emulator", bench={"hosts": {}}
        ),
        "error status": internal(
            "BackendResponseFailure",
            "the service answered 503",
            element='<send-request id="me" fail-on-error-status-code="true"><set-url>https://audit.test/</set-url>'
            "</send-request>",
            bench={"hosts": {"audit.test": unavailable}},
        ),
    },
)
