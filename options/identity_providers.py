"""Several identity providers whose tokens one API accepts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from options import entra, jwt
from options.entra import EntraOptions, check_callers, check_entra
from options.jwt import JwtOptions, check_jwt
from options.mistakes import Key, Mistake
from options.rules import Rules, prefixed


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityProviderOptions:
    """An identity provider of an API; exactly one of `entra` and `jwt` is required."""

    entra: EntraOptions | None = None
    """Tokens of a tenant of Microsoft Entra ID."""
    jwt: JwtOptions | None = None
    """Tokens of another OpenID Connect provider, whose `issuers` are required here."""

    @property
    def tokens(self) -> EntraOptions | JwtOptions:
        """Which tokens are accepted; Entra's if the options say nothing, which is refused."""
        return self.entra or self.jwt or EntraOptions()

    @property
    def kind(self) -> str:
        """Name of the field that says which tokens are accepted."""
        return "jwt" if self.jwt else "entra"


VALUES: Rules = {**prefixed("entra", entra.VALUES), **prefixed("jwt", jwt.VALUES)}


def entra_issuers(tenant_id: str) -> list[str]:
    """Return how a tenant names itself in tokens of version 1 and of version 2 ("Access token claims reference")."""
    tenant = tenant_id.lower()
    return [f"https://sts.windows.net/{tenant}/", f"https://login.microsoftonline.com/{tenant}/v2.0"]


def of_login(tokens: Iterable[EntraOptions]) -> EntraOptions | None:
    """Return the tokens of the tenant of the azuread login, which is the one that no option names."""
    return next((found for found in tokens if found.tenant_id is None), None)


def check_identity_provider(provider: IdentityProviderOptions) -> Iterator[Mistake]:
    """Yield what is wrong with one provider."""
    about: tuple[Key, ...] = (("entra",), ("jwt",))
    if provider.entra is not None and provider.jwt is not None:
        yield Mistake(key=(), problem="is one provider and has both {0} and {1}; make an entry of each", about=about)
    elif provider.entra is None and provider.jwt is None:
        yield Mistake(key=(), problem="says nothing of its tokens; set either {0} or {1}", about=about)
    if provider.entra is not None:
        yield from (mistake.under("entra") for mistake in check_entra(provider.entra))
        yield from (mistake.under("entra") for mistake in check_callers(provider.entra))
    if provider.jwt is not None:
        yield from (mistake.under("jwt") for mistake in check_jwt(provider.jwt))
        yield from (mistake.under("jwt") for mistake in _check_issuers(provider.jwt))


def _check_issuers(tokens: JwtOptions) -> Iterator[Mistake]:
    if not tokens.issuers:
        problem = "is missing; list the provider's issuers, by which its tokens are told from those of the others"
        yield Mistake(key=("issuers",), problem=problem)
    if len(tokens.openid_config_urls) > 1 and len(tokens.issuers) > 1:
        problem = "are several, and the keys of any of {0} would do for each of them; make an entry of each issuer"
        yield Mistake(key=("issuers",), problem=problem, about=(("openid_config_urls",),))


def check_identity_providers(providers: Sequence[IdentityProviderOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with each provider, and with providers beside each other."""
    for i, provider in enumerate(providers):
        for mistake in check_identity_provider(provider):
            yield mistake.under(i)
    yield from _check_same_issuers(providers)
    for i, provider in enumerate(providers[1:], 1):
        if (auth := provider.tokens.backend_auth) is not providers[0].tokens.backend_auth:
            problem = "differs from {0}, and the gateway presents one credential, whoever calls; set the same in both"
            about = ((0, providers[0].kind, "backend_auth"),)
            yield Mistake(key=(i, provider.kind, "backend_auth"), value=str(auth), problem=problem, about=about)
    assigning = [i for i, provider in enumerate(providers) if provider.entra and provider.entra.role_assignments]
    for i in assigning[1:]:
        problem = "is set beside {0}, and roles are assigned in one tenant, that of the azuread login; remove one"
        about = ((assigning[0], "entra", "role_assignments"),)
        yield Mistake(key=(i, "entra", "role_assignments"), problem=problem, about=about)


def _check_same_issuers(providers: Sequence[IdentityProviderOptions]) -> Iterator[Mistake]:
    """Refuse an issuer of two providers, of which only one would ever be asked.

    Entra's tenant, if no option names it, is that of the login, which the component compares when it is known.
    """
    first: dict[str, Key] = {}
    for i, provider in enumerate(providers):
        named: list[tuple[Key, str, str | None]] = []
        if provider.jwt is not None:
            named = [((i, "jwt", "issuers", j), issuer, issuer) for j, issuer in enumerate(provider.jwt.issuers)]
        elif provider.entra is not None:
            tenant = provider.entra.tenant_id
            key: Key = (i, "entra") if tenant is None else (i, "entra", "tenant_id")
            named = [(key, issuer, tenant) for issuer in entra_issuers(tenant or "")]
        for key, issuer, shown in named:
            if (twin := first.setdefault(issuer, key)) != key:
                yield _same_issuer(key, shown, twin)
                break


def _same_issuer(key: Key, shown: str | None, twin: Key) -> Mistake:
    problem = "names the same issuer as {0}, and the issuer chooses who validates a token; remove one of the two"
    if shown is None:
        about = (twin, (*key, "existing"), (*key, "tenant_id"))
        return Mistake(key=key, problem=f"{problem}, or set {{1}} and {{2}} for another tenant", about=about)
    return Mistake(key=key, value=shown, problem=problem, about=(twin,))
