"""Entra's decision who gets a token for what, and its refusals.

Error codes and texts: "Microsoft Entra authentication and authorization error codes"; HTTP statuses and `error` values
are those of the public endpoint.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from apim_emulator.model import Application, ControlPlane, User

__all__ = ["COGNITIVE_SERVICES"]

COGNITIVE_SERVICES = "https://cognitiveservices.azure.com"
"""Resource of Azure OpenAI's data plane."""

FIRST_PARTY = frozenset({COGNITIVE_SERVICES, "https://management.azure.com", "https://vault.azure.net"})
"""Microsoft's own resources, present in every tenant; asked for with or without a slash at the end."""


_DEFAULT = ".default"
"""Asks for all scopes that the client was granted."""

_OPENID = frozenset({"openid", "profile", "email", "offline_access"})


class TokenRequestError(Exception):
    """A refused token request, in the terms of RFC 6749 section 5.2 and Entra's AADSTS codes."""

    def __init__(self, error: str, code: int, text: str, *, status: int = 400) -> None:
        """Refuse with an OAuth `error`, the number after `AADSTS` and its text."""
        super().__init__(f"AADSTS{code}: {text}")
        self.error = error
        self.code = code
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A decision that a principal gets a token for a resource."""

    tenant_id: str
    resource: Application | None
    """Application that the token is for, None for one of Microsoft's own resources."""
    audience: str
    """Resource as the request names it."""
    client_id: str | None
    principal_id: str
    """Object ID of whom the token is about: the client's own principal, or the user for whom it acts."""
    user: User | None = None
    """User for whom the client acts. None: the client acts for itself."""
    scopes: frozenset[str] = frozenset()
    """What the client may do on the user's behalf."""
    by_certificate: bool = False
    """Whether the client proved itself with a certificate, as managed identities do, rather than a secret."""


def find_tenant(control_plane: ControlPlane, tenant: str) -> str:
    """Tenant ID as the control plane spells it, or the refusal for a tenant that does not exist."""
    for tenant_id in control_plane.tenant_ids():
        if tenant_id.lower() == tenant.lower():
            return tenant_id
    raise TokenRequestError(
        "invalid_tenant",
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the"
        " correct cloud. Check with your subscription administrator, this may happen if there are no active"
        " subscriptions for the tenant.",
    )


def grant_request(control_plane: ControlPlane, tenant: str, form: Mapping[str, object]) -> Grant:
    """Decide a token request: a client's for itself, or on behalf of a user who told it the password."""
    tenant_id = find_tenant(control_plane, tenant)
    grant_type = _parameter(form, "grant_type")
    if grant_type == "client_credentials":
        return _client_credentials(control_plane, tenant_id, form)
    if grant_type == "password":
        return _password_credentials(control_plane, tenant_id, form)
    raise TokenRequestError(
        "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant_type}'."
    )


def _client_credentials(control_plane: ControlPlane, tenant_id: str, form: Mapping[str, object]) -> Grant:
    """Decide a client-credentials request (RFC 6749 section 4.4) with a client secret."""
    client = _authenticated_client(control_plane, tenant_id, form)
    audience = _requested_resource(_parameter(form, "scope"))
    resource = _resource(control_plane, tenant_id, audience)
    _require_assignment(resource, audience, client.service_principal_id, f"'{client.client_id}'({client.display_name})")
    return Grant(
        tenant_id=tenant_id,
        resource=resource,
        audience=audience,
        client_id=client.client_id,
        principal_id=client.service_principal_id,
    )


def _password_credentials(control_plane: ControlPlane, tenant_id: str, form: Mapping[str, object]) -> Grant:
    """Decide a request with a user's password ("OAuth 2.0 Resource Owner Password Credentials").

    Of the flows for users it alone needs no browser. Nobody can be asked to consent here, so the client must have been
    pre-authorized or granted the scopes; the token then has all that it was granted of the resource. The `error` value
    of an unknown scope is inferred.
    """
    client = _authenticated_client(control_plane, tenant_id, form)
    audience, names = _requested_scopes(_parameter(form, "scope"))
    resource = _resource(control_plane, tenant_id, audience)
    user = _authenticated_user(control_plane, tenant_id, form)
    scopes = frozenset[str]() if resource is None else resource.scopes
    for name in names - scopes - {_DEFAULT}:
        raise TokenRequestError(
            "invalid_client",
            650053,
            f"The application '{client.display_name}' asked for scope '{name}' that doesn't exist on the resource"
            f" '{audience}'. Contact the app vendor.",
        )
    granted = frozenset[str]()
    if resource is not None:
        grants = (resource.granted.get((client.client_id, whom)) for whom in (None, user.object_id))
        granted = frozenset(scope for grant in grants if grant for scope in grant)
    if not granted or not names - {_DEFAULT} <= granted:
        raise TokenRequestError(
            "invalid_grant",
            65001,
            f"The user or administrator has not consented to use the application with ID '{client.client_id}' named"
            f" '{client.display_name}'. Send an interactive authorization request for this user and resource.",
        )
    if resource is not None and resource.assignment_required and not resource.assignments.get(user.object_id):
        raise TokenRequestError(
            "invalid_grant",
            50105,
            f"Your administrator has configured the application {resource.display_name} ('{resource.client_id}') to"
            " block users unless they are specifically granted ('assigned') access to the application. The signed-in"
            f" user '{user.name}' is blocked because they are not a direct member of a group with access, nor had"
            " access directly assigned by an administrator.",
        )
    return Grant(
        tenant_id=tenant_id,
        resource=resource,
        audience=audience,
        client_id=client.client_id,
        principal_id=user.object_id,
        user=user,
        scopes=granted,
    )


def _authenticated_user(control_plane: ControlPlane, tenant_id: str, form: Mapping[str, object]) -> User:
    name, password = _parameter(form, "username"), _parameter(form, "password")
    users = (user for user in control_plane.users() if user.tenant_id == tenant_id)
    user = next((user for user in users if user.name.lower() == name.lower()), None)
    if user is None:
        raise TokenRequestError(
            "invalid_grant",
            50034,
            f"The user account {name} does not exist in the {tenant_id} directory. To sign into this application, the"
            " account must be added to the directory.",
        )
    if not hmac.compare_digest(password.encode(), user.password.encode()):
        raise TokenRequestError(
            "invalid_grant", 50126, "Error validating credentials due to invalid username or password."
        )
    return user


def _requested_scopes(scope: str) -> tuple[str, frozenset[str]]:
    """Resource and the names of its scopes; those of OpenID Connect say nothing about it."""
    pairs = [part.rpartition("/") for part in scope.split() if part not in _OPENID]
    resources = {resource for resource, slash, name in pairs if slash and resource and name}
    if len(resources) != 1 or not all(resource in resources for resource, _, _ in pairs):
        raise _invalid_scope(scope)
    return resources.pop(), frozenset(name for _, _, name in pairs)


def grant_managed_identity(control_plane: ControlPlane, principal_id: str, audience: str) -> Grant:
    """Decide a managed identity's request for a resource.

    The refusal of an identity that does not exist is inferred.
    """
    tenant_id = control_plane.identity_tenant(principal_id)
    if tenant_id is None:
        raise TokenRequestError("unauthorized_client", 700016, f"No managed identity '{principal_id}' was found.")
    resource = _resource(control_plane, tenant_id, audience)
    _require_assignment(resource, audience, principal_id, f"'{principal_id}'")
    identities = (identity for gateway in control_plane.gateways() for identity in gateway.identities)
    return Grant(
        tenant_id=tenant_id,
        resource=resource,
        audience=audience,
        client_id=next((each.client_id for each in identities if each.principal_id == principal_id), None),
        principal_id=principal_id,
        by_certificate=True,
    )


def _require_assignment(resource: Application | None, audience: str, principal_id: str, client: str) -> None:
    if resource is not None and resource.assignment_required and not resource.assignments.get(principal_id):
        raise TokenRequestError(
            "invalid_grant",
            501051,
            f"Application {client} is not assigned to a role for the application"
            f" '{audience}'({resource.display_name}).",
        )


def _parameter(form: Mapping[str, object], name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRequestError(
            "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
        )
    return value


def _authenticated_client(control_plane: ControlPlane, tenant_id: str, form: Mapping[str, object]) -> Application:
    client_id = _parameter(form, "client_id")
    client = _application(control_plane, tenant_id, client_id)
    if client is None:
        raise TokenRequestError(
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant_id}'. This can happen"
            " if the application has not been installed by the administrator of the tenant or consented to by any user"
            " in the tenant. You may have sent your authentication request to the wrong tenant.",
        )
    secret = form.get("client_secret")
    if not isinstance(secret, str) or not secret:
        raise TokenRequestError(
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            status=401,
        )
    presented = secret.encode()
    if not any(hmac.compare_digest(presented, known.encode()) for known in client.secrets):
        raise TokenRequestError(
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value,"
            f" not the client secret ID, for a secret added to app '{client.client_id}'.",
            status=401,
        )
    return client


def _requested_resource(scope: str) -> str:
    if len(scope.split()) != 1:
        raise _invalid_scope(scope)
    resource = scope.removesuffix("/.default")
    if resource == scope:
        raise TokenRequestError(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with"
            " /.default suffixed to the resource identifier (application ID URI).",
        )
    return resource


def _invalid_scope(scope: str) -> TokenRequestError:
    return TokenRequestError(
        "invalid_scope",
        70011,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter"
        f" 'scope' is not valid. The scope {scope} is not valid.",
    )


def _resource(control_plane: ControlPlane, tenant_id: str, audience: str) -> Application | None:
    """Application that a request names, None for one of Microsoft's own."""
    if audience.removesuffix("/") in FIRST_PARTY:
        return None
    for application in control_plane.applications():
        if application.tenant_id == tenant_id and audience in application.identifier_uris:
            return application
    named = _application(control_plane, tenant_id, audience)
    if named is None:
        raise TokenRequestError(
            "invalid_resource",
            500011,
            f"The resource principal named {audience} was not found in the tenant named {tenant_id}. This can happen if"
            " the application has not been installed by the administrator of the tenant or consented to by any user in"
            " the tenant. You might have sent your authentication request to the wrong tenant.",
        )
    return named


def _application(control_plane: ControlPlane, tenant_id: str, client_id: str) -> Application | None:
    """Application of a tenant by its client ID."""
    for application in control_plane.applications():
        if application.tenant_id == tenant_id and application.client_id.lower() == client_id.lower():
            return application
    return None
