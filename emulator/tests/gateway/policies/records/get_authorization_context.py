from apim_emulator.model import Connection
from emulator.tests.gateway.policies.attributes import NO, text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Attribute, Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

_BEARER = (
    '<set-header name="Authorization" exists-action="override">'
    '<value>@("Bearer " + ((Authorization)context.Variables.GetValueOrDefault("auth"))?.AccessToken)</value>'
    "</set-header>"
)

RECORD = Record(
    "get-authorization-context",
    Example(
        '<get-authorization-context id="me" provider-id="github" authorization-id="main" '
        f'context-variable-name="auth"/>{_BEARER}',
        bench={"connections": (Connection(provider_id="github", id="main", access_token="gho_secret"),)},
    ),
    attributes={
        "provider-id": text("github"),
        "authorization-id": text("main"),
        "context-variable-name": text("auth"),
        "identity-type": text("managed"),
        "identity": Attribute(literal="ignored", expression='@("ignored")'),
        "ignore-error": NO,
    },
    works=shows(sent(lambda request: request.headers["Authorization"]), "Bearer gho_secret"),
    fails={
        "no such connection": internal(
            "AuthorizationNotFound", "there is no such connection of this provider", bench={"connections": ()}
        ),
        "no identity": internal(
            "AuthorizationPermissionDenied",
            "the identity gets no token: it has no access to the connection",
            bench={"identities": ()},
        ),
    },
)
