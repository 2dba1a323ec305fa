"""Who calls, and which model: what limits count by and metrics are split by.

The caller is whom the validated token names, never whom a header names. The model is the deployment in the URL or, on
the v1 surface, the model in the body.
"""

import json
from dataclasses import dataclass

from components._answers import json_answer
from components._requests import DEPLOYMENT_VARIABLE
from policies import Choose, Policy, SetVariable, When

TOKEN = "token"  # noqa: S105 - a variable's name
"""Variable with the validated token."""
CALLER = "openai-gateway-token-caller"
"""Variable with the key of the caller, or with nothing if the token names none."""
_APPLICATION = "openai-gateway-token-application"
"""Variable with the application that the token was issued to, where several providers issue tokens."""
MODEL = "openai-gateway-counted-model"
"""Variable with the name of the model that the call names, in small letters."""

_CLAIMS = f'((Jwt)context.Variables["{TOKEN}"]).Claims'


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCaller:
    """How validated tokens name their caller."""

    known_by: tuple[str, ...]
    """C# for the claims that tell a caller from any other, each a text that is empty without it. None: the validation
    sets `CALLER` itself."""
    application: str
    """C# for the application that the token was issued to, or `none`."""

    def set_caller(self) -> list[Policy]:
        """Return the policy that sets `CALLER`, if the validation does not."""
        if not self.known_by:
            return []
        names = ("first", "second", "third")[: len(self.known_by)]
        found = " ".join(f"var {name} = {claim};" for name, claim in zip(names, self.known_by, strict=True))
        missing = " || ".join(f'{name} == ""' for name in names)
        joined = ' + "/" + '.join(f"Uri.EscapeDataString({name})" for name in names)
        value = f'@{{ var claims = {_CLAIMS}; {found} return {missing} ? "" : {joined}; }}'
        return [SetVariable(name=CALLER, value=value)]

    def set_known(self) -> list[Policy]:
        """Return the policies that set the variables of `OF_SEVERAL`, right after the validation."""
        return [*self.set_caller(), SetVariable(name=_APPLICATION, value=f"@({self.application})")]


def _issued_to(older: str) -> str:
    return f'{_CLAIMS}.GetValueOrDefault("azp", {_CLAIMS}.GetValueOrDefault("{older}", "none"))'


OF_ENTRA = TokenCaller(
    known_by=(
        'claims.GetValueOrDefault("azp", claims.GetValueOrDefault("appid", ""))',
        'claims.GetValueOrDefault("oid", "")',
    ),
    application=_issued_to("appid"),
)
"""The application, and the user or service principal, in a token of Microsoft Entra ID of either version ("Access
token claims reference")."""
OF_OTHERS = TokenCaller(
    known_by=('claims.GetValueOrDefault("iss", "")', 'claims.GetValueOrDefault("sub", "")'),
    application=_issued_to("client_id"),
)
"""The issuer, and whom it names, in any other token: `sub` is unique in the context of `iss` (RFC 7519, 4.1.2)."""

OF_SEVERAL = TokenCaller(known_by=(), application=f'(string)context.Variables["{_APPLICATION}"]')
"""Whom and what the validation has noted, by one of the next two, as it alone knows who issued the token."""
OF_TENANT = TokenCaller(
    known_by=('claims.GetValueOrDefault("tid", "")', *OF_ENTRA.known_by), application=OF_ENTRA.application
)
"""As `OF_ENTRA`, within the tenant. The tenant is the same in tokens of either version, unlike the issuer."""
OF_ISSUER = TokenCaller(
    known_by=OF_OTHERS.known_by,
    application=f'{_CLAIMS}.GetValueOrDefault("iss", "none") + " " + {OF_OTHERS.application}',
)
"""As `OF_OTHERS`, with the issuer before the application too, since two providers may have a client of one name."""

REFUSE_UNKNOWN_CALLER = Choose(
    when=[
        When(
            condition=f'@((string)context.Variables["{CALLER}"] == "")',
            policies=[
                json_answer(
                    401, "Unauthorized", json.dumps({"statusCode": 401, "message": "The token names no caller."})
                )
            ],
        )
    ]
)
"""Refuses a token that names no caller, since nobody's amount would be reduced."""

_OTHER_MODEL = "other"
SET_MODEL: Policy = SetVariable(
    name=MODEL,
    value="""@{
    var found = "";
    try {
        found = context.Variables.ContainsKey("DEPLOYMENT")
            ? (string)context.Variables["DEPLOYMENT"]
            : context.Request.MatchedParameters.ContainsKey("deployment-id")
            ? Uri.UnescapeDataString(context.Request.MatchedParameters["deployment-id"])
            : (string)JObject.Parse(context.Request.Body.As<string>(preserveContent: true)).Properties()
                .Single(member => member.Name.ToLowerInvariant() == "model").Value;
    } catch (Exception) { }
    found = (found ?? "").ToLowerInvariant();
    return Regex.IsMatch(found, "^[a-z0-9._-]{1,64}\\\\z") ? found : "OTHER";
}""".replace("OTHER", _OTHER_MODEL).replace("DEPLOYMENT", DEPLOYMENT_VARIABLE),
)
"""Sets `MODEL`. What no deployment can be called, and calls without a model or with both `model` and `Model`, have one
name in common, so that there are no further amounts for further spellings. Where the policy has read the request
already, it is the deployment that answers, so that an alias has no amount of its own. A body that is no JSON is left to
the account to refuse."""
