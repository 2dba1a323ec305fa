"""Tokens of another OpenID Connect provider that callers present."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from options import claims
from options.auth import BackendAuth
from options.defaulted import Defaulted
from options.mistakes import Mistake
from options.rules import Rules, literal, url
from policies import RequiredClaim


@dataclass(frozen=True, kw_only=True, slots=True)
class JwtOptions:
    """Tokens of any OpenID Connect provider that the gateway requires of callers."""

    openid_config_urls: list[str]
    """OpenID configuration endpoints, which lead to the signing keys."""
    audiences: list[str]
    """Accepted audiences."""
    issuers: Defaulted[list[str]] = field(default_factory=list)
    """Accepted issuers. Defaults to those in the OpenID configurations."""
    required_claims: Defaulted[dict[str, RequiredClaim]] = field(default_factory=dict)
    """Further claims that a token must carry, by claim name."""
    backend_auth: Defaulted[BackendAuth] = BackendAuth.MANAGED_IDENTITY
    """Credential that the gateway presents to Azure OpenAI. Defaults to `managed-identity`."""


VALUES: Rules = {
    "openid_config_urls.*": (url,),
    "issuers.*": (url,),
    "audiences.*": (literal,),
    **claims.VALUES,
}


def check_jwt(jwt: JwtOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the tokens of another provider."""
    for name, values in (("openid_config_urls", jwt.openid_config_urls), ("audiences", jwt.audiences)):
        if not values:
            yield Mistake(key=(name,), problem="is empty; list at least one, as no token could be validated")
