"""Which tokens of Microsoft Entra ID open an API.

A token of a user says what its client may do on the user's behalf (`scp`), one of an application which roles that was
given (`roles`), and Microsoft wants an API to verify the one or the other ("Protected web API: Verify scopes and app
roles"). The claims that a policy requires must all be there, so an API for both kinds lets the policy verify the token,
and then refuses it unless it has what its kind needs.
"""

import json
import re
from collections.abc import Iterable

from options import EntraOptions
from policies import (
    UNAUTHORIZED,
    Choose,
    ClaimMatch,
    Policy,
    RequiredClaim,
    ReturnResponse,
    SetBody,
    SetHeader,
    SetStatus,
    ValidateAzureAdToken,
    When,
)

_TOKEN = "token"  # noqa: S105 - a variable's name


def entra_validation(entra: EntraOptions, tenant_id: str, audiences: list[str]) -> list[Policy]:
    """Return the policies that let a caller pass only with a token that the options ask for.

    With roles alone users need one as applications do; with scopes alone applications are refused.
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
        output_token_variable_name=_TOKEN if both else None,
    )
    return [validation, _either(entra)] if both else [validation]


def _either(entra: EntraOptions) -> Choose:
    """Refuse a user's token without one of the scopes, and an application's without one of the roles.

    Only users' tokens have `scp`, which is one text ("Access token claims reference"). Without it, only a token about
    itself is an application's: a user's subject is another for each application, so an ID token, which may have the
    user's roles, is refused. All texts are compared whole and with their case.
    """
    refused = (
        "@{"
        f' var claims = ((Jwt)context.Variables["{_TOKEN}"]).Claims;'
        ' if (claims.ContainsKey("scp")) {'
        ' return claims["scp"].Length != 1'
        f""" || !claims["scp"][0].Split(' ').Intersect({_array(entra.scopes)}).Any();"""
        " }"
        ' return claims.GetValueOrDefault("oid", "") != claims.GetValueOrDefault("sub", "-")'
        ' || !claims.ContainsKey("roles")'
        f' || !claims["roles"].Intersect({_array(entra.roles)}).Any();'
        " }"
    )
    answer = ReturnResponse(
        status=SetStatus(code=401, reason="Unauthorized"),
        headers=[SetHeader(name="Content-Type", values=["application/json"])],
        body=SetBody(value=json.dumps({"statusCode": 401, "message": UNAUTHORIZED})),
    )
    return Choose(when=[When(condition=refused, policies=[answer])])


def _array(values: Iterable[str]) -> str:
    """Array of C# in which each value stands for itself, whatever its characters mean to C#, XML or the gateway."""

    def literal(value: str) -> str:
        units = value.encode("utf-16-be")
        codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
        return "".join(chr(code) if re.fullmatch("[A-Za-z0-9._-]", chr(code)) else f"\\u{code:04x}" for code in codes)

    return "new[] {{ {} }}".format(", ".join(f'"{literal(value)}"' for value in values))
