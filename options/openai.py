"""The Azure OpenAI accounts behind the gateway, and the models that they serve."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from options import breaker, existing, retirements
from options.breaker import BreakerOptions, check_breaker
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.gateway import GatewaySku
from options.known import known_deployment_sku, known_model, known_region
from options.mistakes import Key, Mistake, Warn, suggestion, unique
from options.models import deployment_name
from options.rules import Rules, boolean, distinct, excludes_existing, matches, number, prefixed, region, short_text


class AccountKind(StrEnum):
    """Kind of an account, as ARM spells it."""

    OPENAI = "OpenAI"
    AI_SERVICES = "AIServices"


class VersionUpgrade(StrEnum):
    """When Azure moves a deployment to a newer version of its model."""

    NEW_DEFAULT = "OnceNewDefaultVersionAvailable"
    WHEN_EXPIRED = "OnceCurrentVersionExpired"
    NEVER = "NoAutoUpgrade"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingAccount(ExistingResource):
    """An Azure OpenAI account or a Foundry resource that another stack or team owns."""

    # Repeated here: the component host reads a field's description from its own class.
    name: str
    """Name of the account."""
    resource_group: str
    """Resource group that holds it."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""
    role_assigned: Defaulted[bool] = False
    """Whether its owner has given the gateway's identities the role Cognitive Services OpenAI User on it. Defaults to
    false: the role is assigned here, which Azure refuses if it is already assigned."""
    deployments: list[str] | None = None
    """Names of its deployments. By default they are not known, and the account gets calls of any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentOptions:
    """A model deployment."""

    name: str
    """Name that callers use as the model."""
    model: str
    """Model to deploy, such as `gpt-5.6-luna`."""
    version: str | None = None
    """Version of the model. Defaults to the region's default version, which Azure updates."""
    sku: Defaulted[str] = "GlobalStandard"
    """Deployment SKU, such as `GlobalStandard` (default), `DataZoneStandard` or `GlobalProvisionedManaged`."""
    capacity: Defaulted[int] = 1
    """Quota in units of the SKU; for pay-as-you-go SKUs, thousands of tokens per minute. Defaults to 1."""
    version_upgrade: VersionUpgrade | None = None
    """When Azure upgrades the version. By default when `version` expires or, without a `version`, when a new default is
    available. With `OnceNewDefaultVersionAvailable`, `version` is only the initial version."""
    spillover: str | None = None
    """For a provisioned SKU: the pay-as-you-go deployment, of the same account, model and version, that takes the
    overflow. By default there is none, and callers get 429."""
    rai_policy: str | None = None
    """Content filter (responsible AI policy) of the account. Defaults to Azure's default filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountOptions:
    """An Azure OpenAI account or a Foundry resource: what to create, or which one to adopt."""

    existing: ExistingAccount | None = None
    """Account to adopt without owning it. By default an account is created."""
    kind: AccountKind | None = None
    """What to create: `OpenAI` for an Azure OpenAI account, or `AIServices` for a Foundry resource. A change upgrades
    the account in place, or reverts the upgrade. Defaults to `OpenAI`; if Azure upgrades the account, the upgrade
    stays."""
    location: str | None = None
    """Azure region of the account to create. Defaults to the stack's `azure-native:location`."""
    name: str | None = None
    """Name and subdomain, unique in Azure. Defaults to the component's name with a random suffix."""
    disable_local_auth: bool | None = None
    """Whether the account refuses API keys. Defaults to true, unless an API authenticates to it by key."""
    deployments: list[DeploymentOptions] | None = None
    """Models deployed in this account. Defaults to the `deployments` that all accounts share."""
    priority: int | None = None
    """Priority in the pool, 0 to 100, lower first. By default all accounts have the same priority."""
    weight: int | None = None
    """Share of the requests among accounts of the same priority, 0 to 100. Defaults to equal shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIOptions:
    """The Azure OpenAI accounts behind the gateway and the models that they serve."""

    accounts: Defaulted[list[AccountOptions]] = field(default_factory=lambda: [AccountOptions()])
    """One account, or several that make a load-balanced pool."""
    deployments: Defaulted[list[DeploymentOptions]] = field(default_factory=list)
    """Models deployed in each account that is created and does not list its own; adopted accounts keep theirs."""
    breaker: Defaulted[BreakerOptions] = field(default_factory=BreakerOptions)
    """Circuit breaker of each account in a pool. It is always there, since a pool without one would keep calling a
    failed account and never use its next priority; Consumption has none."""


MAX_POOL = 30
"""Most backends in a pool (API Management: backends)."""


PROVISIONED = {
    "GlobalProvisionedManaged": "GlobalStandard",
    "DataZoneProvisionedManaged": "DataZoneStandard",
    "ProvisionedManaged": "Standard",
}
"""Provisioned SKUs, each with the pay-as-you-go SKU that processes data in the same place ("Deployment types for
Foundry Models")."""

subdomain = matches(
    "[a-z0-9][a-z0-9-]{0,62}[a-z0-9]",
    "2 to 64 lower-case letters, digits and hyphens, no hyphen at either end, as in a host name",
)
_DEPLOYMENT: Rules = {
    "name": (deployment_name,),
    "model": (matches("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's name, such as gpt-5.6-luna"), known_model),
    "version": (matches("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's version, such as 2026-07-09"),),
    "sku": (matches("[A-Za-z]+", "a deployment SKU such as GlobalStandard or Standard"), known_deployment_sku),
    "capacity": (number(1, None, "a whole number from 1"),),
    "rai_policy": (short_text,),
}

VALUES: Rules = {
    "accounts.*": (excludes_existing("account", "kind", "location", "name", "disable_local_auth", "deployments"),),
    "accounts.*.existing.name": (deployment_name,),
    **prefixed("accounts.*.existing", existing.VALUES),
    "accounts.*.existing.role_assigned": (boolean,),
    "accounts.*.existing.deployments": (distinct,),
    "accounts.*.existing.deployments.*": (deployment_name,),
    "accounts.*.location": (region, known_region),
    "accounts.*.name": (subdomain,),
    "accounts.*.disable_local_auth": (boolean,),
    "accounts.*.priority": (number(0, 100, "a whole number from 0 to 100"),),
    "accounts.*.weight": (number(0, 100, "a whole number from 0 to 100"),),
    **prefixed("accounts.*.deployments.*", _DEPLOYMENT),
    **prefixed("deployments.*", _DEPLOYMENT),
    **prefixed("breaker", breaker.VALUES),
}


def account_keys(accounts: Sequence[AccountOptions]) -> list[str]:
    """Return a key for each account that does not change when another joins the pool: its name, or its region."""
    return unique_keys(
        account.existing.name if account.existing else account.name or account.location or "account"
        for account in accounts
    )


def unique_keys(stems: Iterable[str]) -> list[str]:
    """Return the stems with a number after those that came before."""
    keys: list[str] = []
    for stem in stems:
        keys.append(next(key for key in _numbered(stem) if key not in keys))
    return keys


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}"


def check_openai(openai: OpenAIOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the accounts and deployments."""
    accounts = openai.accounts
    if not accounts:
        problem = "is empty; list at least one account, or leave it out to create one"
        yield Mistake(key=("accounts",), problem=problem)
    if len(accounts) > MAX_POOL:
        problem = f"has {len(accounts)} accounts; allowed: up to {MAX_POOL} in a pool; remove some"
        yield Mistake(key=("accounts",), problem=problem)
    names: list[tuple[Key, str | None]] = [
        (("accounts", i, "existing", "name"), account.existing.name)
        if account.existing
        else (("accounts", i, "name"), account.name)
        for i, account in enumerate(accounts)
    ]
    yield from unique(names, "account names are unique in Azure")
    for i, account in enumerate(accounts):
        for name, value in (("priority", account.priority), ("weight", account.weight)):
            if value is not None and len(accounts) == 1:
                problem = "has no effect on a single account; remove it, or add accounts to make a pool"
                yield Warn(key=("accounts", i, name), value=value, problem=problem)
        yield from _check_deployments(("accounts", i, "deployments"), account.deployments or [])
        if account.deployments == []:
            problem = "is empty; the account serves no model until one is listed"
            yield Warn(key=("accounts", i, "deployments"), problem=problem)

    key = ("deployments",)
    yield from _check_deployments(key, openai.deployments)
    created = [account for account in accounts if not account.existing]
    if any(account.deployments is None for account in created):
        if not openai.deployments:
            yield Warn(key=key, problem="is empty; the new accounts serve no model until one is listed")
    elif accounts and openai.deployments:
        reason = "every new account lists its own" if created else "every account is adopted and keeps its own"
        yield Warn(key=key, problem=f"has no effect, as {reason}; remove it")

    yield from (mistake.under("breaker") for mistake in check_breaker(openai.breaker))
    if len(accounts) == 1 and openai.breaker != BreakerOptions():
        problem = "has no effect on a single account, whose own answers reach the callers; remove it, or add accounts"
        yield Warn(key=("breaker",), problem=problem)


def check_priorities(priorities: Iterable[int | None], sku: str | None) -> Iterator[Mistake]:
    """Refuse priorities of accounts that a pricing tier cannot observe.

    A pool uses its next priority only when the circuit breakers of the previous one are open, and Consumption has no
    circuit breakers (API Management: backends).
    """
    found = sorted({priority or 0 for priority in priorities})
    if sku == GatewaySku.CONSUMPTION and len(found) > 1:
        problem = (
            f"has the priorities {', '.join(map(str, found))}, and only the first would ever be used, as "
            "Consumption has no circuit breakers; give all accounts the same priority, or change the sku"
        )
        yield Mistake(key=("accounts",), problem=problem)


def _check_deployments(at: Key, deployments: Sequence[DeploymentOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with the deployments of one account."""
    named = [((*at, i, "name"), deployment.name) for i, deployment in enumerate(deployments)]
    yield from unique(named, "deployment names are unique in an account")
    by_name = {deployment.name: deployment for deployment in deployments}
    for i, deployment in enumerate(deployments):
        key = (*at, i)
        if deployment.spillover is not None and (problem := _spillover_problem(deployment, by_name)):
            yield Mistake(key=(*key, "spillover"), value=deployment.spillover, problem=problem)
        if deployment.sku in PROVISIONED and deployment.version_upgrade not in (None, VersionUpgrade.NEVER):
            problem = f"has no effect, as Azure does not upgrade deployments of the SKU {deployment.sku}; remove it"
            yield Warn(key=(*key, "version_upgrade"), value=deployment.version_upgrade, problem=problem)
        yield from _check_retirement(key, deployment)


def _spillover_problem(source: DeploymentOptions, by_name: Mapping[str, DeploymentOptions]) -> str | None:
    """Return what is wrong with a deployment's `spillover` (Microsoft: "Manage traffic with spillover")."""
    target = by_name.get(source.spillover or "")
    if source.sku not in PROVISIONED:
        skus = ", ".join(PROVISIONED)
        return f"cannot be set with the SKU {source.sku}; allowed with {skus}; remove it, or change sku"
    if target is None:
        others = [name for name in by_name if name != source.name]
        allowed = ", ".join(others) or "none, as it has no other"
        return f"is not a deployment of the account; allowed: {allowed}{suggestion(source.spillover, others)}"
    if target.sku != PROVISIONED[source.sku]:
        return (
            f"has the SKU {target.sku}; allowed behind {source.sku}: {PROVISIONED[source.sku]}; change one of the two"
        )
    if (target.model, target.version) != (source.model, source.version):
        return "has another model or version; give both deployments the same"
    return None


def _check_retirement(key: Key, deployment: DeploymentOptions) -> Iterator[Mistake]:
    """Warn of a version that is retired or will be soon, as far as the schedule in `retirements` knows."""
    day = retirements.retirement(deployment.model, deployment.version)
    today = retirements.today()
    if day is not None and day - today < timedelta(days=retirements.NOTICE_DAYS):
        verb = "was" if day <= today else "will be"
        schedule = f"according to Microsoft's schedule of {retirements.AS_OF}"
        field = "model" if deployment.version is None else "version"
        value = deployment.version or deployment.model
        yield Warn(key=(*key, field), value=value, problem=f"{verb} retired on {day}, {schedule}; deploy a newer model")


def check_account_names(key: Key, names: Sequence[str], accounts: Sequence[AccountOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with a list of accounts by name or region, such as those of an API."""
    known = account_keys(accounts)
    if not names:
        yield Mistake(key=key, problem="is empty; list accounts, or leave it out to use all")
    for i, name in enumerate(names):
        if name not in known:
            problem = f"is not an account; allowed: {', '.join(known)}{suggestion(name, known)}"
            yield Mistake(key=(*key, i), value=name, problem=problem)


def deployments_of(account: AccountOptions, openai: OpenAIOptions) -> list[DeploymentOptions]:
    """Return the deployments to create in an account, those without `spillover` first, since others refer to them."""
    own = openai.deployments if account.deployments is None else account.deployments
    return sorted(own, key=lambda deployment: deployment.spillover is not None)


def served_by(account: AccountOptions, openai: OpenAIOptions) -> list[str] | None:
    """Return the names of an account's deployments, or None if they are not known."""
    if account.existing:
        return account.existing.deployments
    return [deployment.name for deployment in deployments_of(account, openai)]


def served_in(openai: OpenAIOptions, names: Sequence[str]) -> dict[str, list[str] | None]:
    """Return what `served_by` returns of each of the accounts `names`, as far as there are such accounts."""
    keyed = zip(account_keys(openai.accounts), openai.accounts, strict=True)
    return {key: served_by(account, openai) for key, account in keyed if key in names}


def check_pool(openai: OpenAIOptions, names: Sequence[str]) -> Iterator[Mistake]:
    """Warn of accounts among `names`, which share a pool, that lack a deployment that they may be asked for.

    That is so only if it is not known of another account what it serves; otherwise calls go where their model is.
    """
    keyed = [
        (i, a)
        for i, (key, a) in enumerate(zip(account_keys(openai.accounts), openai.accounts, strict=True))
        if key in names
    ]
    served = {i: found for i, a in keyed if (found := served_by(a, openai)) is not None}
    if len(served) == len(keyed):
        return
    overflow = {deployment.spillover for _, a in keyed for deployment in deployments_of(a, openai)}
    for i, own in served.items():
        if lacking := sorted({name for names in served.values() for name in names} - {*own} - overflow):
            problem = (
                f"do not include {', '.join(lacking)}, so calls that the pool sends here get 404; deploy the same "
                "models in all accounts, or list the deployments of the existing ones"
            )
            yield Warn(key=("accounts", i, "deployments"), problem=problem)
