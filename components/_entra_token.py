"""Which tokens of Microsoft Entra ID an API accepts.

A user's token says what its client may do on the user's behalf (`scp`); an application's token says which roles the
application has (`roles`). An API should verify one or the other ("Protected web API: Verify scopes and app roles"). A
policy requires all of its claims, so an API for both kinds first lets the policy validate the token, and then refuses
it unless it has the claim that its kind needs.
"""

import json

from components._answers import json_answer
from components._caller import TOKEN
from components._csharp import array
from options import EntraOptions
from policies import (
    UNAUTHORIZED,
    Choose,
    ClaimMatch,
    Policy,
    RequiredClaim,
    ValidateAzureAdToken,
    When,
)


def entra_validation(
    entra: EntraOptions,
    tenant_id: str,
    audiences: list[str],
    *,
    keep_token: bool = False,
    refusal: Policy | None = None,
) -> list[Policy]:
    """Return the policies that accept only the tokens that the options describe.

    With roles alone, users need a role as applications do; with scopes alone, applications are refused. With
    `keep_token`, the variable `TOKEN` holds the token. `refusal` answers a valid token without a scope or a role; by
    default the answer is 401.
    """
    claims = dict(entra.required_claims)
    both = bool(entra.roles and entra.scopes)
    if entra.roles and not both:
        claims["roles"] = RequiredClaim(values=entra.roles, match=ClaimMatch.ANY)
    if entra.scopes and not both:
        claims["scp"] = RequiredClaim(values=entra.scopes, match=ClaimMatch.ANY, separator=" ")
    validation = ValidateAzureAdToken(
        tenant_id=tenant_id,
        audiences=audiences,
        client_application_ids=entra.client_application_ids,
        required_claims=claims,
        output_token_variable_name=TOKEN if both or keep_token else None,
    )
    return [validation, _require_scope_or_role(entra, refusal or _REFUSAL)] if both else [validation]


_REFUSAL = json_answer(401, "Unauthorized", json.dumps({"statusCode": 401, "message": UNAUTHORIZED}))


def _require_scope_or_role(entra: EntraOptions, refusal: Policy) -> Choose:
    """Refuse a user's token without one of the scopes, and an application's token without one of the roles.

    Only users' tokens have `scp`, a single string ("Access token claims reference"). A token without it is an
    application's only if `oid` equals `sub`: a user's `sub` differs for each application, so an ID token, which may
    have the user's roles, is refused. All strings are compared as a whole and by case.
    """
    refused = (
        "@{"
        f' var claims = ((Jwt)context.Variables["{TOKEN}"]).Claims;'
        ' if (claims.ContainsKey("scp")) {'
        ' return claims["scp"].Length != 1'
        f""" || !claims["scp"][0].Split(' ').Intersect({array(entra.scopes)}).Any();"""
        " }"
        ' return claims.GetValueOrDefault("oid", "") != claims.GetValueOrDefault("sub", "-")'
        ' || !claims.ContainsKey("roles")'
        f' || !claims["roles"].Intersect({array(entra.roles)}).Any();'
        " }"
    )
    return Choose(when=[When(condition=refused, policies=[refusal])])
