"""`get-authorization-context`: the token that credential manager has of another provider."""

from apim_emulator.csharp.runtime.values import Int64
from apim_emulator.gateway.context.objects import Authorization
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure, internal_error
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.tokens.claims import check_audience, check_lifetime
from apim_emulator.gateway.tokens.strict import TokenError
from apim_emulator.gateway.tokens.validation import metadata_of, signing_key
from apim_emulator.gateway.witness import note

_AUDIENCE = "https://azure-api.net/authorization-manager"
"""Of the token in `identity`."""
_IDENTITIES = ("managed", "jwt", "JWT")
"""Microsoft's own snippets write the second one in both ways (vscode-apimanagement)."""


def _compile(element: Element, _site: Site) -> Run:
    provider, name = element.text("provider-id"), element.text("authorization-id")
    variable = element.text("context-variable-name")
    kind = element.word("identity-type", _IDENTITIES, "managed")
    token = element.optional_text("identity")
    ignore_error = element.boolean("ignore-error", default=False)

    async def run(exchange: Exchange) -> None:
        """Store the `Authorization`; reasons and words of failures are inferred, that they are 500 is documented."""
        context = exchange.context
        found: Authorization | None = None
        try:
            connection = exchange.services.connections.get((provider(context), name(context)))
            if connection is None:
                raise internal_error("AuthorizationNotFound", "there is no such connection of this provider")
            if kind(context) == "managed":
                who = exchange.services.identities.own()
            elif token is None:
                raise _denied("identity is missing")
            else:
                who = await _holder(exchange, token(context))
            if who is None or (connection.access is not None and who not in connection.access):
                raise _denied("it has no access to the connection")
            claims = {one: _claim(value) for one, value in connection.claims.items()}
            found = Authorization(connection.access_token, claims)
        except Failure:
            if not ignore_error(context):
                raise
            note("no token of {}/{}, which is ignored", provider(context), name(context))
        else:
            note("token of {}/{}", provider(context), name(context))
        context.variables[variable(context)] = found

    return run


def _denied(why: str) -> Failure:
    return internal_error("AuthorizationPermissionDenied", f"the identity gets no token: {why}")


async def _holder(exchange: Exchange, text: str) -> str:
    """Validate a token of Microsoft Entra ID, and return the object ID of whom it is for."""
    verified = exchange.services.verified_tokens
    try:
        token = verified.read(text)
        tenant, holder = token.payload.get("tid"), token.payload.get("oid")
        if not isinstance(tenant, str) or not isinstance(holder, str) or not tenant.replace("-", "").isalnum():
            raise TokenError("JwtInvalid", "it has no oid or tid")
        url = f"https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration"
        keys = [key for found in await metadata_of([url], token.key_id, exchange) for key in found.keys]
        signing_key(token, keys, verified, try_all=False)
        check_lifetime(token.payload, exchange.services.clock.now(), 0, required=True)
        check_audience(token.payload, {_AUDIENCE})
    except TokenError as error:
        raise _denied(error.detail) from None
    return holder


def _claim(value: object) -> object:
    """Make a value of `Claims`: Json.NET reads whole numbers as `long`."""
    return Int64(value) if isinstance(value, int) and not isinstance(value, bool) else value


POLICY = Policy("get-authorization-context", _compile, sections=("inbound", "backend", "outbound"))
