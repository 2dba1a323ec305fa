"""Stand-ins for the OpenID Connect providers that deployed policies name."""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.clock import Clock
from sandbox.demands import Demand
from sandbox.services.oidc import OpenIdProvider
from sandbox.services.signing import LIFETIME

WELL_KNOWN = "/.well-known/openid-configuration"


class Provider(OpenIdProvider):
    """A provider at a given URL, which also has a token endpoint (RFC 6749 section 4.4) at `{issuer}/token`.

    It knows two clients, `client`, whose tokens carry what the policy demands, and `client-without-claims`.
    """

    def __init__(self, configuration_url: str, demand: Demand, clock: Clock) -> None:
        """Be the provider that `configuration_url` and a policy describe."""
        super().__init__(configuration_url.removesuffix(WELL_KNOWN), clock)
        self.clients: Mapping[str, Mapping[str, object]] = {"client": demand.claims, "client-without-claims": {}}
        """Clients and the claims that their tokens carry."""
        self.secret = secrets.token_urlsafe(24)
        """Client secret of both."""
        self.base_url = ""
        """Where its host listens on this machine."""
        self._named = {"iss": demand.issuer} if demand.issuer else {}
        self._token_path = f"{urlsplit(self.issuer).path.rstrip('/')}/token"
        self.app.router.add_post(self._token_path, self._token)

    @property
    def token_url(self) -> str:
        """Token endpoint, as it is reached on this machine."""
        return f"{self.base_url}{self._token_path}"

    def issue(self, *, audience: str, subject: str, age: float = 0, claims: Mapping[str, object] | None = None) -> str:
        """Mint an access token, by the issuer that the policy accepts."""
        return super().issue(audience=audience, subject=subject, age=age, claims={**self._named, **(claims or {})})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        client, audience = str(form.get("client_id", "")), str(form.get("audience", ""))
        known = client in self.clients
        if not hmac.compare_digest(str(form.get("client_secret", "")).encode(), self.secret.encode()) or not known:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token = self.issue(audience=audience, subject=client, claims=self.clients[client])
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})


def stand_ins(demands: Iterable[Demand], clock: Clock) -> dict[str, Provider]:
    """Make the provider of each OpenID configuration URL that is not on this machine."""
    found: dict[str, Provider] = {}
    for demand in demands:
        for url in demand.openid_config_urls:
            if url.endswith(WELL_KNOWN) and urlsplit(url).scheme == "https":
                found.setdefault(url, Provider(url, demand, clock))
    return found


def merged(providers: Iterable[Provider]) -> web.Application:
    """Application of all providers of one host."""
    app = web.Application()
    for provider in providers:
        for route in provider.app.router.routes():
            if route.method != "HEAD" and route.resource is not None:
                app.router.add_route(route.method, route.resource.canonical, route.handler)
    return app
