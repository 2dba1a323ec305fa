"""Stand-ins for the OpenID Connect providers that policies name, Microsoft Entra tenants among them."""

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway.tokens.requirements import TokenRequirement
from apim_emulator.listening import serve
from apim_emulator.network import Network
from apim_emulator.services.entra import LOGIN
from apim_emulator.services.openid.provider import OpenIdProvider
from apim_emulator.services.signing import LIFETIME
from apim_emulator.services.token_client import Caller, client_credentials_form

__all__ = ["ProviderStandIn", "ProviderStandIns"]

WELL_KNOWN = "/.well-known/openid-configuration"
CLIENT = "client"
WITHOUT_CLAIMS = "client-without-claims"
_TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
"""Tenant whose tokens are issued where a policy names one by its domain, or any."""
_APPLICATION = "11111111-0000-4000-8000-000000000001"


class ProviderStandIn(OpenIdProvider):
    """A provider at a given URL, which also has a token endpoint (RFC 6749 section 4.4) at `{issuer}/token`.

    It knows two clients, `client`, whose tokens carry what the policies require, and `client-without-claims`.
    """

    def __init__(self, configuration_url: str, clock: Clock) -> None:
        """Serve the provider whose OpenID configuration a policy reads from this URL."""
        super().__init__(configuration_url.removesuffix(WELL_KNOWN), clock)
        self.clients: Mapping[str, Mapping[str, object]] = {}
        """Clients and the claims that their tokens carry."""
        self.secret = secrets.token_urlsafe(24)
        """Client secret of both."""
        self.base_url = ""
        """Where its host listens on this machine."""
        self._issuer_claim: dict[str, object] = {}
        self._token_path = f"{urlsplit(self.issuer).path.rstrip('/')}/token"
        self.app.router.add_post(self._token_path, self._token)

    def issue_for(self, requirements: Iterable[TokenRequirement]) -> None:
        """Issue tokens that these policies accept from now on; where the policies differ, the first decides."""
        own: dict[str, object] = {}
        wanted: dict[str, object] = {}
        issuers = []
        for requirement in requirements:
            own = {**_tenant_claims(requirement), **own}
            wanted = {**requirement.claims, **wanted}
            issuers += [requirement.issuer] if requirement.issuer else []
        self._issuer_claim = {"iss": issuers[0]} if issuers else {}
        self.clients = {CLIENT: {**own, **wanted}, WITHOUT_CLAIMS: own}

    @property
    def token_url(self) -> str:
        """Token endpoint, as it is reached on this machine."""
        return f"{self.base_url}{self._token_path}"

    def issue(self, *, audience: str, subject: str, age: float = 0, claims: Mapping[str, object] | None = None) -> str:
        """Mint an access token of the issuer that the policy accepts."""
        return super().issue(
            audience=audience, subject=subject, age=age, claims={**self._issuer_claim, **(claims or {})}
        )

    def configuration(self) -> dict[str, object]:
        """Return what the OpenID configuration endpoint answers; a tenant named by its domain tells its GUID."""
        return {**super().configuration(), "issuer": self._issuer_claim.get("iss", self.issuer)}

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


class ProviderStandIns:
    """Stand-ins by configuration URL; those of one host share a port."""

    def __init__(self, network: Network, clock: Clock) -> None:
        """Start without any; the network is told where each host is."""
        self._network = network
        self._clock = clock
        self.by_url: dict[str, ProviderStandIn] = {}

    async def serve(self, stack: AsyncExitStack, requirements: Sequence[TokenRequirement]) -> None:
        """Serve every provider that the requirements name and that is not served already, until the stack is closed.

        One on this machine, or without a plain URL, gets no stand-in.
        """
        requirements_by_url: dict[str, list[TokenRequirement]] = {}
        for requirement in requirements:
            for url in filter(_is_plain, requirement.openid_config_urls):
                requirements_by_url.setdefault(url, []).append(requirement)
        new = {url: ProviderStandIn(url, self._clock) for url in requirements_by_url if url not in self.by_url}
        self.by_url |= new
        for url, wanted in requirements_by_url.items():
            self.by_url[url].issue_for(wanted)
        for host in {urlsplit(url).hostname or "" for url in new}:
            here = [one for url, one in self.by_url.items() if urlsplit(url).hostname == host]
            base_url = await serve(stack, _merged(here))
            self._network.route(host, base_url)
            for one in here:
                one.base_url = base_url

    def callers(self, requirement: TokenRequirement) -> list[Caller]:
        """List who can get a token for a demand; none where its provider is no stand-in."""
        provider = next(filter(None, (self.by_url.get(url) for url in requirement.openid_config_urls)), None)
        if provider is None:
            return []
        return [
            Caller(
                name=name,
                client_id=name,
                object_id=None,
                token_url=provider.token_url,
                form=client_credentials_form(name, provider.secret, audience=requirement.audience),
            )
            for name in provider.clients
        ]


def as_openid_requirement(requirement: TokenRequirement) -> TokenRequirement:
    """Turn a requirement for an Entra tenant's token into one for a token of that tenant's OpenID provider."""
    if requirement.tenant is None:
        return requirement
    url = f"{LOGIN}/{requirement.tenant}/v2.0{WELL_KNOWN}"
    return replace(requirement, openid_config_urls=(url,), issuer=f"{LOGIN}/{_guid(requirement.tenant)}/v2.0")


def _tenant_claims(requirement: TokenRequirement) -> dict[str, object]:
    """Claims of every v2.0 token that a tenant issues to an application."""
    if requirement.tenant is None:
        return {}
    client = next(iter(requirement.client_ids), _APPLICATION)
    return {"tid": _guid(requirement.tenant), "ver": "2.0", "azp": client, "oid": client}


def _guid(tenant: str) -> str:
    try:
        return str(UUID(tenant))
    except ValueError:
        return _TENANT


def _is_plain(url: str) -> bool:
    return url.endswith(WELL_KNOWN) and urlsplit(url).scheme == "https" and not set(url) & set("{}?#")


def _merged(providers: Iterable[ProviderStandIn]) -> web.Application:
    """Application of all providers of one host."""
    app = web.Application()
    for provider in providers:
        for route in provider.app.router.routes():
            if route.method != "HEAD" and route.resource is not None:
                app.router.add_route(route.method, route.resource.canonical, route.handler)
    return app
