"""A stand-in OpenID Connect provider other than Entra."""

from collections.abc import Mapping

from aiohttp import web
from yarl import URL

from apim_emulator.clock import Clock
from apim_emulator.services.signing import SigningKey, validity_claims


class OpenIdProvider:
    """An OpenID Connect provider on this machine: discovery, signing keys and tokens.

    Follows OpenID Connect Discovery 1.0; tokens are shaped as in RFC 9068.
    """

    app: web.Application
    """Serves `{issuer}/.well-known/openid-configuration` and `{issuer}/jwks`."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        """Serve an issuer URL such as `http://127.0.0.1:8443/realms/contoso`."""
        self.issuer = issuer.rstrip("/")
        self._clock = clock
        self._key = SigningKey()
        path = URL(self.issuer).path.rstrip("/")
        self.app = web.Application()
        self.app.router.add_get(f"{path}/.well-known/openid-configuration", self._configuration)
        self.app.router.add_get(f"{path}/jwks", self._jwks)

    @property
    def configuration_url(self) -> str:
        """OpenID configuration endpoint, for the `openid-config` of `validate-jwt`."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def issue(self, *, audience: str, subject: str, age: float = 0, claims: Mapping[str, object] | None = None) -> str:
        """Mint an access token that was issued `age` seconds ago; `claims` replace the standard ones, None removes."""
        standard = {"iss": self.issuer, "aud": audience, "sub": subject, **validity_claims(self._clock.now() - age)}
        return self._key.sign({**standard, **(claims or {})})

    def configuration(self) -> dict[str, object]:
        """Return what the OpenID configuration endpoint answers."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def jwks(self) -> dict[str, list[dict[str, str | list[str]]]]:
        """Return what the JWKS endpoint answers."""
        return self._key.jwks()

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(self.configuration())

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self.jwks())
