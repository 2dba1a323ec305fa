"""What validate-jwt and validate-azure-ad-token share: where the token is, which key signed it, how a refusal looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from apim_emulator.gateway.context.objects import Context, Jwt
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.element import Element, Value
from apim_emulator.gateway.tokens.jwks import SigningKey
from apim_emulator.gateway.tokens.openid import Metadata, OpenIdProvider
from apim_emulator.gateway.tokens.strict import RawToken, TokenError
from apim_emulator.gateway.tokens.verified import VerifiedTokens
from apim_emulator.gateway.witness import note

_NOT_PRESENT = "JWT not present."
_INVALID = "Invalid JWT."


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a policy finds the token: a header, a query parameter or an expression."""

    header: Value[str] | None
    query: Value[str] | None
    value: Value[str] | None
    scheme: Value[str] | None
    scheme_required: bool
    """Whether `Authorization` without the scheme is refused."""

    def find(self, context: Context) -> str:
        """Return the token; raises `TokenError` where it is absent, given twice or under another scheme."""
        if self.value is not None:
            return _present([self.value(context)], "what token-value gives")
        if self.query is not None:
            name = self.query(context)
            return _present(context.request.query.values(name), f"query parameter {name}")
        name = "Authorization" if self.header is None else self.header(context)
        text = _present(context.request.headers.getall(name, []), f"header {name}")
        scheme = "Bearer" if self.scheme is None else self.scheme(context)
        given, space, rest = text.partition(" ")
        if space and given.lower() == scheme.lower():
            return _present([rest.strip(" ")], f"header {name}")
        if name.lower() == "authorization" and self.scheme_required:
            note("header {} does not begin with {}", name, scheme)
            raise TokenError("TokenNotPresent", _NOT_PRESENT)
        return text


def token_place(element: Element, *, default_header: bool) -> TokenPlace:
    """Read the attributes that name the place: exactly one, unless the policy has a default."""
    names = ("header-name", "query-parameter-name", "token-value")
    given = [name for name in names if element.has(name)]
    if len(given) > 1 or not (given or default_header):
        element.refuse(f"needs exactly one of {', '.join(names)}")
    header = element.header("header-name")
    query, value = (element.optional_text(name) for name in names[1:])
    scheme = element.optional_text("require-scheme")
    return TokenPlace(header, query, value, scheme, default_header or scheme is not None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response to a token that is not accepted, and the variable that gets one that is."""

    status: Value[int]
    message: Value[str] | None
    variable: str | None

    def failure(self, error: TokenError, context: Context) -> Failure:
        """Make the failure; without a message of the policy's own the text depends on the problem."""
        context.variables.pop(self.variable or "", None)
        default = _NOT_PRESENT if error.reason == "TokenNotPresent" else _INVALID
        message = default if self.message is None else self.message(context)
        return Failure(self.status(context), message, error.reason, detail=error.detail)

    def accept(self, token: RawToken, context: Context) -> None:
        """Store the validated token."""
        if self.variable is not None:
            context.variables[self.variable] = Jwt(token.header, token.payload)


def refusal(element: Element) -> Refusal:
    """Read the attributes of the refusal and of the output variable."""
    status = element.integer("failed-validation-httpcode", 200, 599, default=401)
    message = element.optional_text("failed-validation-error-message")
    variable = element.literal("output-token-variable-name")
    if variable == "":
        element.refuse("must not be empty", "output-token-variable-name")
    return Refusal(status, message, variable)


def signing_key(token: RawToken, keys: Sequence[SigningKey], verified: VerifiedTokens, *, try_all: bool) -> SigningKey:
    """Find the key that signed the token; raises `TokenError`.

    A `kid` chooses among the keys. Where none has it, keys that the policy itself lists are all tried.
    """
    named = [key for key in keys if token.key_id is not None and key.key_id == token.key_id]
    candidates = named or [key for key in keys if token.key_id is None or (try_all and key.issuer is None)]
    if not candidates:
        raise TokenError("TokenSignatureKeyNotFound", "No key matches the JWT's key ID. Access denied.")
    for key in candidates:
        if verified.verifies(key, token):
            return key
    raise TokenError("TokenSignatureInvalid", "JWT signature is not valid. Access denied.")


async def metadata_of(urls: Sequence[str], key_id: str | None, exchange: Exchange) -> list[Metadata]:
    """Ask the providers; those that cannot be asked are left out, so their tokens are refused."""
    known: list[Metadata] = []
    for url in urls:
        provider: OpenIdProvider = exchange.services.providers.get(url)
        found = await provider.metadata(key_id)
        if found is None:
            note("no keys of {}: it gave none, and is not asked again for some minutes", url)
        else:
            known.append(found)
    return known


def _present(values: list[str], place: str) -> str:
    if not any(values):
        note("there is no token in {}", place)
        raise TokenError("TokenNotPresent", _NOT_PRESENT)
    if len(values) > 1:
        raise TokenError("JwtInvalid", "More than one token was given. Access denied.")
    return values[0]
