"""Tokens of Microsoft Entra ID that callers present."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from options import claims
from options.auth import BackendAuth
from options.defaulted import Defaulted
from options.mistakes import Key, Mistake, Warn
from options.rules import Rules, boolean, chosen, distinct, excludes_existing, guid, literal, matches
from policies import RequiredClaim


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingApplication:
    """An app registration that the tenant's administrators own."""

    client_id: str
    """Application (client) ID."""
    audiences: Defaulted[list[str]] = field(default_factory=list)
    """Audiences of its tokens: the client ID for v2 tokens, the application ID URI for v1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppRoleAssignmentOptions:
    """An app role assigned to a client's service principal."""

    principal_id: str
    """Object ID of the client's service principal or managed identity."""
    role: str
    """Value of one of the application's app roles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntraOptions:
    """Microsoft Entra ID tokens that the gateway requires of callers."""

    existing: ExistingApplication | None = None
    """App registration to use. By default an app registration is created."""
    tenant_id: str | None = None
    """Tenant whose tokens are accepted. Defaults to the tenant of the deployer's own login."""
    roles: Defaulted[list[str]] = field(default_factory=list)
    """App roles to define. A caller needs at least one of them, except that with `scopes` a user needs a scope instead.
    By default no role is required; with `scopes` alone, applications that act for themselves are refused."""
    scopes: Defaulted[list[str]] = field(default_factory=list)
    """Delegated permissions to define; a user's token needs at least one of them. By default none is required."""
    client_application_ids: Defaulted[list[str]] = field(default_factory=list)
    """Client IDs of the applications that may call. Defaults to any that obtains a token for the audience."""
    pre_authorized_client_ids: Defaulted[list[str]] = field(default_factory=list)
    """Client IDs of applications that get the scopes without a consent prompt."""
    required_claims: Defaulted[dict[str, RequiredClaim]] = field(default_factory=dict)
    """Further claims that a token must carry, by claim name."""
    assignment_required: Defaulted[bool] = False
    """Whether Entra issues tokens only to principals that are assigned to the application. Defaults to false."""
    role_assignments: Defaulted[list[AppRoleAssignmentOptions]] = field(default_factory=list)
    """App roles assigned to clients' service principals."""
    owners: Defaulted[list[str]] = field(default_factory=list)
    """Object IDs of the app registration's owners in addition to its deployer, such as the pipeline that deploys next.
    List everyone who deploys: the owners are updated only when one of them does. Defaults to the first deployer."""
    backend_auth: Defaulted[BackendAuth] = BackendAuth.MANAGED_IDENTITY
    """Credential that the gateway presents to Azure OpenAI. Defaults to `managed-identity`."""


_permission = matches(
    r"(?![.])[A-Za-z0-9:!#$%&'()*+,./;<=>?@\[\]^_`{|}~-]{1,120}",  # what Entra takes for an app role or a scope
    "1 to 120 letters, digits and punctuation, no spaces, no leading dot",
)

VALUES: Rules = {
    "": (excludes_existing("app registration", "pre_authorized_client_ids", "assignment_required", "owners"),),
    "existing.client_id": (guid,),
    "existing.audiences.*": (literal,),
    "tenant_id": (guid,),
    "roles": (distinct,),
    "roles.*": (literal, _permission),
    "scopes": (distinct,),
    "scopes.*": (literal, _permission),
    "client_application_ids.*": (guid,),
    "pre_authorized_client_ids.*": (guid,),
    "assignment_required": (boolean,),
    "owners": (distinct,),
    "owners.*": (guid,),
    "role_assignments": (distinct,),
    "role_assignments.*.principal_id": (guid,),
    **claims.VALUES,
}


def check_entra(entra: EntraOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the tokens of Microsoft Entra ID."""
    if entra.existing and not entra.existing.audiences:
        problem = "is missing; list the audiences of the app's tokens: its client ID for v2, its ID URI for v1 tokens"
        yield Mistake(key=("existing", "audiences"), problem=problem)
    if entra.tenant_id is not None and not entra.existing:
        problem = (
            "cannot be set for a new app registration, which is created in the tenant of the azuread login "
            "(azuread:tenantId); remove it, or name an existing registration"
        )
        yield Mistake(key=("tenant_id",), value=entra.tenant_id, problem=problem)
    if entra.roles and not entra.scopes and "roles" in entra.required_claims:
        problem = "conflicts with {0}, of which a caller needs one; remove one of the two"
        yield Mistake(key=("required_claims", chosen("roles")), problem=problem, about=(("roles",),))
    if entra.scopes and "scp" in entra.required_claims:
        problem = "conflicts with {0}, of which a user's token needs one; remove one of the two"
        yield Mistake(key=("required_claims", chosen("scp")), problem=problem, about=(("scopes",),))
    for i, scope in enumerate(entra.scopes):
        if scope in entra.roles:
            problem = "is also a role, and Entra requires distinct values; rename one"
            yield Mistake(key=("scopes", i), value=scope, problem=problem)
    for i, assignment in enumerate(entra.role_assignments):
        if assignment.role not in entra.roles:
            problem = "is not one of {0}; add it there"
            key = ("role_assignments", i, "role")
            yield Mistake(key=key, value=assignment.role, problem=problem, about=(("roles",),))


def check_callers(entra: EntraOptions) -> Iterator[Mistake]:
    """Warn if nothing restricts who may call.

    Entra issues a token for an application's API to any other application of the tenant, without roles ("OAuth 2.0
    client credentials flow", controlling tokens without the roles claim).
    """
    restrictions = (entra.roles, entra.scopes, entra.client_application_ids, entra.required_claims)
    if any(restrictions) or entra.assignment_required:
        return
    problem = "accepts every application of the tenant, as each can get a token for it; list {0}, {1} or {2}"
    about: tuple[Key, ...] = (("roles",), ("scopes",), ("client_application_ids",))
    if not entra.existing:
        problem, about = f"{problem}, or set {{3}}", (*about, ("assignment_required",))
    yield Warn(key=(), problem=problem, about=about)
