"""Which tokens an API accepts: those of its identity provider, or of one of several.

Of several providers, each validates its own tokens: the issuer that a token names chooses the validation, before
anything in the token can be trusted. A wrong name only chooses a validation that refuses the token, as each of them
accepts one provider's issuers and keys alone; any other name is refused without one. So no call passes without exactly
one validation, whose provider is the one that the token names.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pulumi

from components._answers import json_answer
from components._application import ApiApplication
from components._caller import OF_ISSUER, OF_TENANT, TOKEN
from components._csharp import array
from components._entra_token import entra_validation
from options import EntraOptions, JwtOptions
from options.identity_providers import entra_issuers
from policies import UNAUTHORIZED, Choose, Policy, ValidateJwt, When

_ISSUER = 'context.Request.Headers.GetValueOrDefault("Authorization", "").AsJwt()?.Issuer'
"""C# for the issuer that a token names, before it is validated, or null; nothing but the choice may rely on it."""
_REFUSAL = json_answer(401, "Unauthorized", f'{{ "statusCode": 401, "message": {json.dumps(UNAUTHORIZED)} }}')
"""The answer of a validation that refuses a token, to the letter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityProvider:
    """An identity provider, and what is known of it once its app registration is."""

    tokens: EntraOptions | JwtOptions
    tenant_id: str = ""
    """Tenant, of Microsoft Entra ID alone."""
    audiences: list[str] = field(default_factory=list)

    @property
    def issuers(self) -> list[str]:
        """Every name under which it issues tokens."""
        return self.tokens.issuers if isinstance(self.tokens, JwtOptions) else entra_issuers(self.tenant_id)

    def validation(self, *, keep_token: bool, refusal: Policy | None = None) -> list[Policy]:
        """Return the policies that accept its tokens alone, as `entra_validation`."""
        if not isinstance(self.tokens, JwtOptions):
            return entra_validation(self.tokens, self.tenant_id, self.audiences, keep_token=keep_token, refusal=refusal)
        validate = ValidateJwt(
            openid_config_urls=self.tokens.openid_config_urls,
            audiences=self.tokens.audiences,
            issuers=self.tokens.issuers,
            required_claims=self.tokens.required_claims,
            require_expiration_time=True,
            require_signed_tokens=True,
            output_token_variable_name=TOKEN if keep_token else None,
        )
        return [validate]


def identity_provider(
    tokens: EntraOptions | JwtOptions, application: ApiApplication | None
) -> pulumi.Output[IdentityProvider]:
    """Return the provider once its app registration, if it has one, is known."""
    if isinstance(tokens, JwtOptions) or application is None:
        return pulumi.Output.from_input(before_deployment(tokens))
    return pulumi.Output.all(application.tenant_id, application.audiences).apply(
        lambda known: IdentityProvider(tokens=tokens, tenant_id=known[0], audiences=known[1])
    )


def before_deployment(tokens: EntraOptions | JwtOptions) -> IdentityProvider:
    """Return the provider with something in place of what is not known yet."""
    if isinstance(tokens, JwtOptions):
        return IdentityProvider(tokens=tokens, audiences=tokens.audiences)
    return IdentityProvider(tokens=tokens, tenant_id=tokens.tenant_id or "common", audiences=["-"])


def validation(providers: Sequence[IdentityProvider], *, keep_token: bool, several: bool) -> list[Policy]:
    """Return the policies that accept tokens of these providers alone.

    With `keep_token`, the variable `TOKEN` holds the token and, of `several`, what `OF_SEVERAL` reads is noted.

    Raises:
        pulumi.RunError: Two of them have an issuer in common.

    """
    if not several:
        [provider] = providers
        return provider.validation(keep_token=keep_token)
    _check_issuers(providers)
    return [Choose(when=list(_choices(providers, keep_token)), otherwise=[_REFUSAL])]


def _choices(providers: Sequence[IdentityProvider], keep_token: bool) -> Iterator[When]:
    for provider in providers:
        known = OF_ISSUER if isinstance(provider.tokens, JwtOptions) else OF_TENANT
        yield When(
            # Ordinal, and as a whole.
            condition=f"@({array(provider.issuers, plain=':/')}.Contains({_ISSUER}))",
            policies=[
                *provider.validation(keep_token=keep_token, refusal=_REFUSAL),
                *(known.set_known() if keep_token else []),
            ],
        )


def _check_issuers(providers: Sequence[IdentityProvider]) -> None:
    """Refuse two providers of the tenant of the login, which the options need not name."""
    first: dict[str, int] = {}
    for i, provider in enumerate(providers):
        for issuer in provider.issuers:
            if (twin := first.setdefault(issuer, i)) != i:
                raise pulumi.RunError(
                    f"identity_providers[{i}] names the issuer {issuer}, as identity_providers[{twin}] does, and the "
                    "issuer chooses who validates a token; remove one of the two"
                )
