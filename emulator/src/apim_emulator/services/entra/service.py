"""The service: OpenID configuration, signing keys and tokens of every tenant."""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime

from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.model import Application, ControlPlane, User
from apim_emulator.services.entra.grants import (
    Grant,
    TokenRequestError,
    find_tenant,
    grant_managed_identity,
    grant_request,
)
from apim_emulator.services.signing import LIFETIME, InvalidTokenError, SigningKey, unverified_claims, validity_claims

LOGIN = "https://login.microsoftonline.com"
"""Host that documents refer to, and issuer of v2.0 tokens."""

STS = "https://sts.windows.net"
"""Issuer of v1.0 tokens."""


class Entra:
    """Microsoft Entra ID for the tenants, applications and managed identities of a control plane.

    Endpoints and claims follow "OpenID Connect on the Microsoft identity platform", "Access token claims reference" and
    "OAuth 2.0 client credentials flow"; unlike Entra, each tenant has a key of its own.
    """

    app: web.Application
    """Serves the host `login.microsoftonline.com`."""

    def __init__(self, control_plane: ControlPlane, clock: Clock) -> None:
        """Ask the control plane anew on each request."""
        self._control_plane = control_plane
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self.app = web.Application(middlewares=[self._refuse])
        self.app.add_routes(
            [
                web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration_v2),
                web.get("/{tenant}/.well-known/openid-configuration", self._configuration_v1),
                web.get("/{tenant}/discovery/v2.0/keys", self._jwks),
                web.get("/{tenant}/discovery/keys", self._jwks),
                web.post("/{tenant}/oauth2/v2.0/token", self._token_request),
            ]
        )

    def issue(
        self,
        resource: Application | str,
        *,
        client_id: str,
        principal_id: str,
        user: User | None = None,
        scopes: Collection[str] = (),
        tenant_id: str | None = None,
        age: float = 0,
        claims: Mapping[str, object] | None = None,
    ) -> str:
        """Mint a client's token for an application, or for the URL of one of Microsoft's own resources.

        With `user` the client acts for a user, who is then the principal, with these `scopes` of the application.
        `tenant_id` makes it another tenant's, signed with that tenant's key; an `age` of `LIFETIME` seconds or more
        makes it expired; `claims` replace the standard ones and None removes one. Roles are those that the application
        has assigned to the principal.
        """
        if isinstance(resource, str):
            target, audience = None, resource
            home = self._control_plane.tenant_ids()[0]
        else:
            target, audience = resource, next(iter(resource.identifier_uris), resource.client_id)
            home = resource.tenant_id
        grant = Grant(
            tenant_id=tenant_id or home,
            resource=target,
            audience=audience,
            client_id=client_id,
            principal_id=principal_id if user is None else user.object_id,
            user=user,
            scopes=frozenset(scopes),
        )
        return self._token(grant, self._clock.now() - age, claims)

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Return a managed identity's token for a resource and the Unix time at which it expires.

        Raises `TokenRequestError` for an identity or a resource that does not exist.
        """
        now = self._clock.now()
        return self._token(grant_managed_identity(self._control_plane, principal_id, resource), now), float(
            int(now) + LIFETIME
        )

    def verify(self, token: str) -> dict[str, object]:
        """Return the claims of a valid token that a known tenant issued.

        Raises `InvalidTokenError` for any other.
        """
        issuer = unverified_claims(token).get("iss")
        for tenant_id in self._control_plane.tenant_ids():
            if issuer in (_issuer_v1(tenant_id), _issuer_v2(tenant_id)):
                return self._key(tenant_id).verify(token, self._clock.now())
        raise InvalidTokenError("the issuer is not a known tenant")

    def _key(self, tenant_id: str) -> SigningKey:
        return self._keys.setdefault(tenant_id.lower(), SigningKey())

    def _token(self, grant: Grant, issued: float, claims: Mapping[str, object] | None = None) -> str:
        resource, tenant_id = grant.resource, grant.tenant_id
        roles = resource.assignments.get(grant.principal_id) if resource else None
        common = {
            **validity_claims(issued),
            "oid": grant.principal_id,
            "tid": tenant_id,
            "roles": sorted(roles) if roles else None,
            "uti": secrets.token_urlsafe(16),
        }
        credential = "2" if grant.by_certificate else "1"
        if resource is None or resource.token_version == 1:
            versioned: dict[str, object] = {
                "aud": grant.audience,
                "iss": _issuer_v1(tenant_id),
                "idp": _issuer_v1(tenant_id),
                "appid": grant.client_id,
                "appidacr": credential,
                "ver": "1.0",
            }
        else:
            versioned = {
                "aud": resource.client_id,
                "iss": _issuer_v2(tenant_id),
                "azp": grant.client_id,
                "azpacr": credential,
                "ver": "2.0",
            }
        about = _about(grant, str(versioned["ver"]))
        return self._key(tenant_id).sign({**versioned, **common, **about, **(claims or {})})

    @web.middleware
    async def _refuse(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except TokenRequestError as refusal:
            return self._error(refusal)

    async def _configuration_v2(self, request: web.Request) -> web.Response:
        tenant_id = self._tenant(request)
        return _configuration(tenant_id, _issuer_v2(tenant_id), "/v2.0")

    async def _configuration_v1(self, request: web.Request) -> web.Response:
        tenant_id = self._tenant(request)
        return _configuration(tenant_id, _issuer_v1(tenant_id), "")

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response(self._key(self._tenant(request)).jwks())

    async def _token_request(self, request: web.Request) -> web.Response:
        grant = grant_request(self._control_plane, request.match_info["tenant"], await request.post())
        answer = {
            "token_type": "Bearer",
            **(
                {"scope": " ".join(f"{grant.audience}/{scope}" for scope in sorted(grant.scopes))} if grant.user else {}
            ),
            "expires_in": LIFETIME - 1,
            "ext_expires_in": LIFETIME - 1,
            "access_token": self._token(grant, self._clock.now()),
        }
        return web.json_response(answer, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def _tenant(self, request: web.Request) -> str:
        return find_tenant(self._control_plane, request.match_info["tenant"])

    def _error(self, refusal: TokenRequestError) -> web.Response:
        timestamp = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace_id, correlation_id = str(uuid.uuid4()), str(uuid.uuid4())
        body = {
            "error": refusal.error,
            "error_description": f"{refusal} Trace ID: {trace_id} Correlation ID: {correlation_id}"
            f" Timestamp: {timestamp}",
            "error_codes": [refusal.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{LOGIN}/error?code={refusal.code}",
        }
        return web.json_response(body, status=refusal.status)


def _about(grant: Grant, version: str) -> dict[str, object]:
    """Claims that tell a user's token from an application's.

    A user's has `scp`, and a subject that differs from one application to the next; an application's is about itself
    ("Protected web API: Verify scopes and app roles"). `idtyp` is an optional claim, which users' tokens do not have
    unless the application asks for it.
    """
    user = grant.user
    if user is None:
        return {"sub": grant.principal_id, "idtyp": "app"}
    resource = grant.resource.client_id if grant.resource else grant.audience
    named: dict[str, object] = (
        {"upn": user.name, "unique_name": user.name, "acr": "1", "amr": ["pwd"]}
        if version == "1.0"
        else {"preferred_username": user.name}
    )
    return {
        "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{user.object_id}/{resource}")),
        "name": user.name.partition("@")[0],
        "scp": " ".join(sorted(grant.scopes)) or None,
        **named,
    }


def _issuer_v1(tenant_id: str) -> str:
    return f"{STS}/{tenant_id}/"


def _issuer_v2(tenant_id: str) -> str:
    return f"{LOGIN}/{tenant_id}/v2.0"


def _configuration(tenant_id: str, issuer: str, version: str) -> web.Response:
    """OpenID configuration in Entra's URLs; of these, the keys and the v2.0 token endpoint are served."""
    return web.json_response(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{LOGIN}/{tenant_id}/oauth2{version}/authorize",
            "token_endpoint": f"{LOGIN}/{tenant_id}/oauth2{version}/token",
            "jwks_uri": f"{LOGIN}/{tenant_id}/discovery{version}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }
    )
