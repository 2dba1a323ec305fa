from apim_emulator.testing.tokens import TENANT
from emulator.tests.gateway.policies.attributes import TOKEN, literal
from emulator.tests.gateway.policies.failures import TOKENS
from emulator.tests.gateway.policies.record import Example, Record, presents_token
from emulator.tests.gateway.policies.scenarios import TOKEN_LIFETIME, turns_away

RECORD = Record(
    "validate-azure-ad-token",
    Example(
        f'<validate-azure-ad-token id="me" tenant-id="{TENANT}"><audiences><audience>api://chat</audience></audiences>'
        "</validate-azure-ad-token>",
        call=presents_token(),
    ),
    attributes={
        **TOKEN,
        "tenant-id": literal(TENANT),
        "authentication-endpoint": literal("https://login.microsoftonline.com"),
    },
    works=turns_away(401, presents_token("api://other")),
    fails=TOKENS,
    clock=TOKEN_LIFETIME,
)
