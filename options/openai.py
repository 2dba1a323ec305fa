"""The Azure OpenAI accounts behind the gateway, and the models that they serve."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.gateway import GatewaySku
from options.known import known_deployment_sku, known_model, known_region
from options.mistakes import Key, Mistake, Warn, unique
from options.rules import Rules, adopted, boolean, like, number, prefixed, region, words


class VersionUpgrade(StrEnum):
    """When Azure moves a deployment to a newer version of its model."""

    NEW_DEFAULT = "OnceNewDefaultVersionAvailable"
    WHEN_EXPIRED = "OnceCurrentVersionExpired"
    NEVER = "NoAutoUpgrade"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountOptions:
    """An Azure OpenAI account: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Account to adopt without owning it. Left out: one is created."""
    location: str | None = None
    """Azure region of the account to create. Left out: the stack's `azure-native:location`."""
    name: str | None = None
    """Name and subdomain, unique in Azure. Left out: made from the component's name and random letters."""
    disable_local_auth: bool | None = None
    """Whether the account refuses API keys. Left out: it does, unless an API authenticates to it by key."""
    priority: int | None = None
    """Place in the pool, 0 to 100, lower first. Left out: all accounts are equal."""
    weight: int | None = None
    """Share of the requests among accounts of one priority, 0 to 100. Left out: equal shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentOptions:
    """A model deployment, made in every account that the stack creates."""

    name: str
    """Name that callers give as the model."""
    model: str
    """Model to deploy, such as `gpt-4o`."""
    version: str | None = None
    """Version of the model. Left out: the region's default at the time."""
    sku: Defaulted[str] = "GlobalStandard"
    """Deployment SKU, such as `Standard`, `GlobalStandard` or `DataZoneStandard`."""
    capacity: Defaulted[int] = 1
    """Quota in units of the SKU: thousands of tokens per minute for the pay-as-you-go ones."""
    version_upgrade: VersionUpgrade | None = None
    """When Azure upgrades the version. Left out: Azure's default, once a new default version is available."""
    rai_policy: str | None = None
    """Content filter (responsible AI policy) of the account. Left out: Azure's default filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAIOptions:
    """The Azure OpenAI accounts behind the gateway and the models that they serve."""

    accounts: Defaulted[list[AccountOptions]] = field(default_factory=lambda: [AccountOptions()])
    """One account, or several that make a load-balanced pool."""
    deployments: Defaulted[list[DeploymentOptions]] = field(default_factory=list)
    """Models deployed in each account that is created; adopted accounts keep what they have."""


MAX_POOL = 30
"""Backends in a pool (API Management: backends)."""

_account = like(
    "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}", "2 to 64 letters, digits and . _ -, beginning with a letter or digit"
)

VALUES: Rules = {
    "accounts.*": (adopted("an account", "location", "name", "disable_local_auth"),),
    "accounts.*.existing.name": (_account,),
    **prefixed("accounts.*.existing", existing.VALUES),
    "accounts.*.location": (region, known_region),
    "accounts.*.name": (
        like(
            "[a-z0-9][a-z0-9-]{0,62}[a-z0-9]",
            "2 to 64 lower-case letters, digits and hyphens, no hyphen at either end, as in a host name",
        ),
    ),
    "accounts.*.disable_local_auth": (boolean,),
    "accounts.*.priority": (number(0, 100, "a whole number from 0 to 100"),),
    "accounts.*.weight": (number(0, 100, "a whole number from 0 to 100"),),
    "deployments.*.name": (_account,),
    "deployments.*.model": (like("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's name, such as gpt-4o"), known_model),
    "deployments.*.version": (like("[A-Za-z0-9][A-Za-z0-9_.-]*", "a model's version, such as 2024-11-20"),),
    "deployments.*.sku": (
        like("[A-Za-z]+", "a deployment SKU such as GlobalStandard or Standard"),
        known_deployment_sku,
    ),
    "deployments.*.capacity": (number(1, None, "a whole number from 1"),),
    "deployments.*.rai_policy": (words,),
}


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

    key = ("deployments",)
    named = [((*key, i, "name"), deployment.name) for i, deployment in enumerate(openai.deployments)]
    yield from unique(named, "deployment names are unique in an account")
    created = any(not account.existing for account in accounts)
    if created and not openai.deployments:
        yield Warn(key=key, problem="is empty; the accounts to create serve no model until one is listed")
    if accounts and not created and openai.deployments:
        yield Warn(key=key, problem="has no effect, as every account is adopted and keeps its own; remove it")


def check_priorities(priorities: Iterable[int | None], sku: str | None) -> Iterator[Mistake]:
    """Yield priorities of accounts that the gateway of a pricing tier cannot keep.

    A pool turns to its next priority only when the circuit breakers of the one before are open, and Consumption has
    none (API Management: backends).
    """
    found = sorted({priority or 0 for priority in priorities})
    if sku == GatewaySku.CONSUMPTION and len(found) > 1:
        problem = (
            f"has the priorities {', '.join(map(str, found))}, of which only the first would ever serve, as "
            "Consumption has no circuit breakers; give all accounts one priority, or use another tier"
        )
        yield Mistake(key=("accounts",), problem=problem)
