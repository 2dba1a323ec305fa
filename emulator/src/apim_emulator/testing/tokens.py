"""Tokens for tests: of an invented Microsoft Entra tenant, and of any other OpenID Connect provider."""

from collections.abc import Sequence
from functools import cache

from apim_emulator.clock import Clock
from apim_emulator.services.openid.provider import OpenIdProvider
from apim_emulator.services.signing import SigningKey
from apim_emulator.testing.values import Reply, Request

TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
CLIENT = "11111111-0000-4000-8000-000000000001"


class TokenIssuer(OpenIdProvider):
    """An OpenID Connect provider; route its host to `answer`, or make it with `PolicyBench.issuer`."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        """Issue tokens as `issuer`, whose key is the same in all tests of a process."""
        super().__init__(issuer, clock)
        self._key = _key(self.issuer)

    def answer(self, request: Request) -> Reply:
        """Answer as the metadata and key endpoints do."""
        if request.url == self.configuration_url:
            return Reply(json=self.configuration())
        return Reply(json=self.jwks()) if request.url == f"{self.issuer}/jwks" else Reply(status_code=404)


class EntraTenant(TokenIssuer):
    """A Microsoft Entra tenant that issues v2.0 access tokens to applications."""

    def __init__(self, clock: Clock, tenant_id: str = TENANT) -> None:
        """Issue tokens of a tenant."""
        super().__init__(f"https://login.microsoftonline.com/{tenant_id}/v2.0", clock)
        self.tenant_id = tenant_id

    def token(
        self, audience: str, *, client_id: str = CLIENT, roles: Sequence[str] = (), age: float = 0, **claims: object
    ) -> str:
        """Mint an access token that was issued `age` seconds ago; `claims` replace the usual ones, None removes one."""
        usual: dict[str, object] = {
            "tid": self.tenant_id,
            "azp": client_id,
            "oid": client_id,
            "ver": "2.0",
            "roles": list(roles) or None,
        }
        return self.issue(audience=audience, subject=client_id, age=age, claims={**usual, **claims})

    def answer(self, request: Request) -> Reply:
        """Answer for any tenant as for this one: it may be named by its domain, or be one of `organizations`."""
        if request.path.endswith("/v2.0/.well-known/openid-configuration"):
            return Reply(json=self.configuration())
        return TokenIssuer.answer(self, request)


@cache
def _key(_issuer: str) -> SigningKey:
    """Make the key of an issuer once: that takes longer than hundreds of calls."""
    return SigningKey()
