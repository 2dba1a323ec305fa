from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.record import Example, NeverFails, Record
from emulator.tests.gateway.policies.scenarios import backends, shows
from emulator.tests.gateway.policies.stand_ins import DEFINED

EXAMPLE = {"content": {"text/plain": {"examples": {"one": {"value": "first"}, "two": {"value": "second"}}}}}

RECORD = Record(
    "mock-response",
    Example(
        '<mock-response id="me"/>',
        bench={"api": {**DEFINED, "definition": {"paths": {"/chat": {"post": {"responses": {"200": EXAMPLE}}}}}}},
    ),
    attributes={
        "enabled": literal("false"),
        "status-code": literal("404"),
        "content-type": literal("text/html"),
        "index": literal("1"),
    },
    works=shows(lambda response: (response.status_code, response.text, backends(response)), (200, "first", [])),
    fails=NeverFails("it evaluates nothing, and what has no example is refused when it is loaded"),
    calls_backend=False,
)
