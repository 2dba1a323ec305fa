from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.record import Example, FailedCall, Record
from emulator.tests.gateway.policies.scenarios import shows, variable

RECORD = Record(
    "limit-concurrency",
    Example('<limit-concurrency id="me" key="k" max-count="1"><set-variable name="v" value="1"/></limit-concurrency>'),
    attributes={"key": text("k"), "max-count": literal("1")},
    works=shows(variable, "1"),
    fails={
        "too many": FailedCall(
            status=429,
            message="Too Many Requests",
            reason="ConcurrencyLimitExceeded",
            element='<limit-concurrency key="k" max-count="1"><limit-concurrency id="me" key="k" max-count="1">'
            '<set-variable name="v" value="1"/></limit-concurrency></limit-concurrency>',
            path="limit-concurrency/limit-concurrency",
        ),
    },
)
