"""Teams: who may call which APIs, which models, how much, and with what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from options import existing, limits
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.key import vault_name
from options.limits import LimitOptions, LimitPer, check_limits
from options.mistakes import Key, Mistake, Warn, suggestion, unique
from options.models import deployment_name
from options.rules import Rules, boolean, distinct, guid, matches, prefixed

DEFAULT_SUBSCRIPTION = "default"
"""Name of the subscription of a team that lists none."""


class OwnerType(StrEnum):
    """Kind of principal, which a role assignment must state."""

    USER = "User"
    GROUP = "Group"
    SERVICE_PRINCIPAL = "ServicePrincipal"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnerOptions:
    """Somebody who looks after a team's keys."""

    id: str
    """Object ID in Microsoft Entra ID."""
    type: Defaulted[OwnerType] = OwnerType.USER
    """Kind of principal. Defaults to `User`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamKeysOptions:
    """Where a team finds its keys. They are secret outputs of the stack in any case."""

    vault: Defaulted[bool] = False
    """Whether the keys are also secrets of a Key Vault, where `owners` can read them. Defaults to false."""
    existing: ExistingResource | None = None
    """Vault in Azure RBAC mode to use without owning it. By default the team gets a vault of its own."""
    secrets_officer: Defaulted[bool] = False
    """Whether the deployer holds *Key Vault Secrets Officer* on the existing vault. Without that role the deployer can
    neither delete a secret nor recover a deleted secret of the same name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamOptions:
    """A team: a product of the service, with subscriptions whose keys open the team's APIs alone."""

    name: str
    """Identifier of the product, unique within the service."""
    apis: list[str]
    """Names of the APIs that the team may call; it can call no other."""
    models: list[str] | None = None
    """Models that the team may call, by the names that the APIs offer. Other models get 403. Defaults to all that the
    APIs offer."""
    limits: Defaulted[list[LimitOptions]] = field(default_factory=list)
    """How much the team may use, in addition to the limits of the APIs. `per: product` is the team as a whole, and
    `per: api` the team on each API. By default only the APIs' own limits apply."""
    subscriptions: Defaulted[list[str]] = field(default_factory=lambda: [DEFAULT_SUBSCRIPTION])
    """Names of the team's subscriptions, each with two keys. Defaults to one, `default`."""
    keys: TeamKeysOptions | None = None
    """Where the team finds its keys. By default they are outputs of the stack alone."""
    principals: Defaulted[list[str]] = field(default_factory=list)
    """Object IDs of the groups, users and service principals that get an app role of the team's APIs. By default
    nobody does."""
    role: str | None = None
    """App role that the principals get. Defaults to the only one that the API defines."""
    owners: Defaulted[list[OwnerOptions]] = field(default_factory=list)
    """Principals that can read the team's keys in the vault. By default nobody can."""


team_name = matches(
    "(?!.*--)[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
    "1 to 50 letters, digits and single hyphens, beginning with a letter and not ending in a hyphen",
)
subscription_name = matches(
    "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,78}[a-zA-Z0-9])?",
    "1 to 80 letters, digits and hyphens, beginning and ending with a letter or digit",
)

KEYS: Rules = {
    "vault": (boolean,),
    "existing.name": (vault_name,),
    **prefixed("existing", existing.VALUES),
    "secrets_officer": (boolean,),
}
OWNER: Rules = {"id": (guid,)}
VALUES: Rules = {
    "name": (team_name,),
    "apis": (distinct,),
    "models": (distinct,),
    "models.*": (deployment_name,),
    **prefixed("limits.*", limits.VALUES),
    "subscriptions.*": (team_name,),
    **prefixed("keys", KEYS),
    "principals": (distinct,),
    "principals.*": (guid,),
    **prefixed("owners.*", OWNER),
}


def check_keys(keys: TeamKeysOptions) -> Iterator[Mistake]:
    """Yield what is wrong with where a team finds its keys."""
    if keys.existing and not keys.vault:
        problem = "has no effect while {0} is false; remove it, or set that to true"
        yield Mistake(key=("existing",), problem=problem, about=(("vault",),))
    if keys.secrets_officer and not keys.existing:
        problem = "has no effect on a new vault, whose secrets are deleted with it; remove it, or name existing"
        yield Mistake(key=("secrets_officer",), problem=problem)
    if keys.vault and keys.existing and not keys.secrets_officer:
        problem = (
            "is a vault in which the deployer can delete the secrets, or recover deleted ones of the same name, only "
            "with the role Key Vault Secrets Officer; assign that role to the deployer, then set {0} to true"
        )
        yield Warn(key=("existing",), problem=problem, about=(("secrets_officer",),))


def check_team(team: TeamOptions) -> Iterator[Mistake]:
    """Yield what is wrong with one team."""
    if not team.apis:
        yield Mistake(key=("apis",), problem="is empty, so the team could call nothing; list at least one API")
    if team.models == []:
        problem = "is empty, so the team could call nothing; list at least one model, or leave it out to allow all"
        yield Mistake(key=("models",), problem=problem)
    yield from (mistake.under("limits") for mistake in check_limits(team.limits))
    for i, limit in enumerate(team.limits):
        if limit.per is LimitPer.CALLER:
            problem = (
                "counts by the validated token, and a team's limits run before an API validates it; count per "
                "subscription or product, or limit callers in the limits of the API"
            )
            yield Mistake(key=("limits", i, "per"), value=str(limit.per), problem=problem)
    names = [(("subscriptions", i), name) for i, name in enumerate(team.subscriptions)]
    yield from unique(names, "each subscription has its own name")
    keys = team.keys or TeamKeysOptions()
    yield from (mistake.under("keys") for mistake in check_keys(keys))
    if keys.vault and not team.subscriptions:
        problem = "has no effect without {0}, which have the keys; remove it, or list one"
        yield Mistake(key=("keys", "vault"), value=True, problem=problem, about=(("subscriptions",),))
    if team.owners and not keys.vault:
        problem = "read the team's keys in a vault, and {0} is false; set it to true, or remove the owners"
        yield Mistake(key=("owners",), problem=problem, about=(("keys", "vault"),))
    owners = [(("owners", i, "id"), owner.id) for i, owner in enumerate(team.owners)]
    yield from unique(owners, "each owner is listed once")
    if team.role is not None and not team.principals:
        problem = "has no effect without {0}, which get it; remove it, or list them"
        yield Mistake(key=("role",), value=team.role, problem=problem, about=(("principals",),))


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiFacts:
    """What matters of an API to the teams that call it."""

    subscription_required: bool = True
    """Whether its callers need a subscription key."""
    own_subscription: bool = True
    """Whether it has a subscription of its own."""
    roles: Sequence[str] | None = None
    """App roles that its callers can hold. None: it validates no tokens of Microsoft Entra ID."""
    assigned: frozenset[tuple[str, str]] = frozenset()
    """Principals, in small letters, that hold a role already, with the role."""
    models: Sequence[str] | None = None
    """Models that it offers, by the names that callers give. None: not known."""
    shares_responses: bool = False
    """Whether whoever knows the ID of a stored response can read it, whoever made it."""


def check_team_in_use(team: TeamOptions, apis: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    """Refuse what a team asks of APIs that do not have it; `apis` are those that there are, by name."""
    for i, name in enumerate(team.apis):
        if name not in apis:
            problem = f"is not an API of this stack; allowed: {', '.join(apis) or 'none'}{suggestion(name, apis)}"
            yield Mistake(key=("apis", i), value=name, problem=problem)
    known = {name: apis[name] for name in team.apis if name in apis}
    yield from _check_narrowing(team, known)
    yield from _check_models(team, known)
    yield from _check_roles(team, known)


def _check_narrowing(team: TeamOptions, known: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    """Refuse what an API could not hold the team to, since it lets calls in without the team's key."""
    for i, name in enumerate(team.apis):
        if name not in known or known[name].subscription_required:
            continue
        narrowed: list[Key] = [(field,) for field in ("models", "limits") if getattr(team, field)]
        if narrowed:
            problem = (
                "takes calls without a subscription key, to which {0} would not apply; let the API require a key, or "
                "remove that"
            )
            yield Mistake(key=("apis", i), value=name, problem=problem, about=tuple(narrowed[:1]))
        elif not team.principals:
            problem = "takes calls without a subscription key, so the team needs none; list {0}, or leave the API out"
            yield Mistake(key=("apis", i), value=name, problem=problem, about=(("principals",),))


def _check_models(team: TeamOptions, known: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    offers = [facts.models for facts in known.values()]
    if team.models is None or not offers or None in offers:
        return
    offered = {model for models in offers for model in models or ()}
    for i, model in enumerate(team.models):
        if model not in offered:
            allowed = ", ".join(sorted(offered)) or "none"
            problem = f"is not offered by any of {{0}}; allowed: {allowed}{suggestion(model, offered)}"
            yield Mistake(key=("models", i), value=model, problem=problem, about=(("apis",),))
    for i, name in enumerate(team.apis):
        if name in known and not set(team.models) & set(known[name].models or ()):
            problem = "offers none of {0}, so the team could call nothing there; leave it out, or add one of its models"
            yield Mistake(key=("apis", i), value=name, problem=problem, about=(("models",),))


def _check_roles(team: TeamOptions, known: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    if not team.principals:
        return
    by_role = {name: facts for name, facts in known.items() if facts.roles is not None}
    if known and not by_role:
        problem = (
            "get an app role, and none of {0} validates tokens of Microsoft Entra ID; remove them, or add one that does"
        )
        yield Mistake(key=("principals",), problem=problem, about=(("apis",),))
    for name, facts in by_role.items():
        roles = facts.roles or ()
        allowed = ", ".join(roles) or "none, as the API defines none"
        at = ("apis", team.apis.index(name))
        if team.role is None and len(roles) != 1:
            problem = f"is missing: {{0}} does not have exactly one app role; name one of those: {allowed}"
            yield Mistake(key=("role",), problem=problem, about=(at,))
        elif team.role is not None and team.role not in roles:
            problem = f"is not an app role of {{0}}; allowed: {allowed}{suggestion(team.role, roles)}"
            yield Mistake(key=("role",), value=team.role, problem=problem, about=(at,))
        else:
            for i, principal in enumerate(team.principals):
                if (principal.lower(), team_role(team, facts)) in facts.assigned:
                    problem = "holds the role already, by the role assignments of {0}; remove it there or here"
                    yield Mistake(key=("principals", i), value=principal, problem=problem, about=(at,))


def team_role(team: TeamOptions, facts: ApiFacts) -> str:
    """Return the app role of an API that a team's principals get."""
    return team.role or (facts.roles or ("",))[0]


def check_teams(teams: Sequence[TeamOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with each team, and names that two of them share."""
    yield from unique([((i, "name"), team.name) for i, team in enumerate(teams)], "team names must be unique")
    for i, team in enumerate(teams):
        yield from (mistake.under(i) for mistake in check_team(team))


def check_teams_in_use(teams: Sequence[TeamOptions], apis: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    """Refuse what teams ask of APIs that do not have it, and a role that a principal would get twice.

    Entra takes an assignment once; shared by two teams, it would be taken from one when the other leaves.
    """
    yield from _check_responses(teams, apis)
    first: dict[tuple[str, str, str], Key] = {}
    for i, team in enumerate(teams):
        yield from (mistake.under(i) for mistake in check_team_in_use(team, apis))
        for name in team.apis:
            if name in apis and apis[name].roles:
                for j, principal in enumerate(team.principals):
                    held = principal.lower(), name, team_role(team, apis[name])
                    if (twin := first.setdefault(held, (i, "principals", j))) != (i, "principals", j):
                        problem = f"gets the role {held[2]} of {name} by {{0}} already; list it in one team"
                        key = (i, "principals", j)
                        yield Mistake(key=key, value=principal, problem=problem, about=(twin,))


def _check_responses(teams: Sequence[TeamOptions], apis: Mapping[str, ApiFacts]) -> Iterator[Mistake]:
    """Warn of an API on which one team could read what another has stored."""
    first: dict[str, Key] = {}
    for i, team in enumerate(teams):
        for j, name in enumerate(team.apis):
            key: Key = (i, "apis", j)
            if name in apis and apis[name].shares_responses and (other := first.setdefault(name, key))[0] != i:
                problem = (
                    "is in another team by {0}, and each could read the other's stored responses by their IDs; set "
                    "ownResponses of the API to true, or leave those calls out of its operations"
                )
                yield Warn(key=key, value=name, problem=problem, about=(other,))


def check_own_subscription(api: ApiFacts, name: str, teams: Sequence[TeamOptions]) -> Iterator[Mistake]:
    """Refuse an API `name` without a subscription of its own where that leaves it without any, or changes nothing."""
    key = ("own_subscription",)
    if api.own_subscription:
        return
    if not api.subscription_required:
        problem = "has no effect, as callers need no subscription key; remove it"
        yield Mistake(key=key, value=False, problem=problem)
    elif not any(name in team.apis for team in teams):
        problem = "leaves the API without a key, as it is in no team; remove it, or list the API in a team"
        yield Mistake(key=key, value=False, problem=problem)
