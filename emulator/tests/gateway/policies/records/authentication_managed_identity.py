from emulator.tests.gateway.policies.attributes import literal, text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

RECORD = Record(
    "authentication-managed-identity",
    Example('<authentication-managed-identity id="me" resource="https://a.example"/>'),
    attributes={
        "resource": text("https://b.example"),
        "client-id": text("system-assigned"),
        "output-token-variable-name": literal("token"),
        "ignore-error": literal("true"),
    },
    works=shows(
        sent(lambda request: request.headers["Authorization"]),
        "Bearer identity-token.system-assigned.https://a.example",
    ),
    fails={
        "no such identity": internal(
            "IdentityNotFound",
            "the service has no identity with this client-id",
            element='<authentication-managed-identity id="me" resource="https://a.example" client-id="x"/>',
        ),
    },
)
