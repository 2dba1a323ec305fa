from apim_emulator.testing.tokens import TENANT
from emulator.tests.gateway.policies.attributes import TOKEN, YES, number
from emulator.tests.gateway.policies.failures import TOKENS
from emulator.tests.gateway.policies.record import Example, Record, presents_token
from emulator.tests.gateway.policies.scenarios import TOKEN_LIFETIME, turns_away

RECORD = Record(
    "validate-jwt",
    Example(
        '<validate-jwt id="me" header-name="Authorization">'
        f'<openid-config url="https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"/>'
        "<audiences><audience>api://chat</audience></audiences></validate-jwt>",
        call=presents_token(),
    ),
    attributes={
        **TOKEN,
        "require-expiration-time": YES,
        "require-signed-tokens": YES,
        "clock-skew": number(9),
    },
    works=turns_away(401, presents_token("api://other")),
    fails=TOKENS,
    clock=TOKEN_LIFETIME,
)
