"""Content safety: what prompts and answers are checked for, and the account that checks them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.gateway import GatewaySku
from options.known import known_region
from options.mistakes import Key, Mistake, suggestion
from options.models import deployment_name
from options.openai import subdomain
from options.rules import (
    Rules,
    boolean,
    chosen,
    distinct,
    excludes_existing,
    matches,
    number,
    prefixed,
    region,
)
from policies import HarmCategory, SeverityLevels

_HIGHEST = {SeverityLevels.FOUR: 6, SeverityLevels.EIGHT: 7}
"""Highest severity on each scale ("Harm categories in Azure AI Content Safety")."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingSafetyAccount(ExistingResource):
    """A Content Safety account or a Foundry resource that another stack or team owns."""

    # Repeated here: the component host reads a field's description from its own class.
    name: str
    """Name of the account."""
    resource_group: str
    """Resource group that holds it."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""
    role_assigned: Defaulted[bool] = False
    """Whether its owner has given the gateway's identity the role Cognitive Services User on it. Defaults to false: the
    role is assigned here, which Azure refuses if it is already assigned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyAccountOptions:
    """The account that checks content: what to create, or which one to adopt."""

    existing: ExistingSafetyAccount | None = None
    """Account to adopt without owning it. By default a Content Safety account is created."""
    location: str | None = None
    """Azure region of the account to create. Defaults to the stack's `azure-native:location`."""
    name: str | None = None
    """Name and subdomain, unique in Azure. Defaults to the component's name with a random suffix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyWindowOptions:
    """How a text is split for the check."""

    size: int
    """Characters that are checked at a time, at least 1."""
    overlap: int | None = None
    """Characters that two windows share, fewer than `size`. By default the gateway decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyOptions:
    """What Azure AI Content Safety checks. A call with harmful content, or that cannot be checked, is refused."""

    account: SafetyAccountOptions | None = None
    """Account that checks. By default one is created, which all APIs share."""
    categories: Defaulted[dict[str, int]] = field(default_factory=dict)
    """Severity from which content is blocked, by kind of harm: `Hate`, `SelfHarm`, `Sexual` or `Violence`. Defaults to
    none."""
    output_type: SeverityLevels | None = None
    """Scale of the severities: `FourSeverityLevels` (0, 2, 4 and 6) or `EightSeverityLevels` (0 to 7). Defaults to
    `FourSeverityLevels`."""
    shield_prompt: Defaulted[bool] = False
    """Whether prompts are checked for attacks. Defaults to false."""
    blocklists: Defaulted[list[str]] = field(default_factory=list)
    """Blocklists of the account whose terms are blocked. Defaults to none."""
    enforce_on_completions: Defaulted[bool] = False
    """Whether answers are checked as well. Defaults to false. A streamed answer that turns harmful ends early."""
    window: SafetyWindowOptions | None = None
    """How long texts are split. By default 10,000 characters of a prompt and 1,000 of an answer are checked at a
    time."""


ACCOUNT: Rules = {
    "": (excludes_existing("account", "location", "name"),),
    "existing.name": (deployment_name,),
    **prefixed("existing", existing.VALUES),
    "existing.role_assigned": (boolean,),
    "location": (region, known_region),
    "name": (subdomain,),
}
VALUES: Rules = {
    **prefixed("account", ACCOUNT),
    "categories.*": (number(0, 7, "a severity from 0 to 7"),),
    "shield_prompt": (boolean,),
    "blocklists": (distinct,),
    "blocklists.*": (matches("[0-9A-Za-z._~-]{1,64}", "1 to 64 letters, digits and - . _ ~"),),
    "enforce_on_completions": (boolean,),
    "window.size": (number(1, 2**31 - 1, "a whole number from 1"),),
    "window.overlap": (number(0, 2**31 - 1, "a whole number from 0"),),
}


def check_account(_account: SafetyAccountOptions) -> Iterator[Mistake]:
    """Yield nothing: the rules on single values are all that there are."""
    yield from ()


def check_safety(safety: SafetyOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of content safety."""
    if not (safety.categories or safety.blocklists or safety.shield_prompt):
        problem = "checks nothing; give {0}, {1} or {2}, or remove it"
        yield Mistake(key=(), problem=problem, about=(("categories",), ("blocklists",), ("shield_prompt",)))
    known = [str(category) for category in HarmCategory]
    scale = safety.output_type or SeverityLevels.FOUR
    for name, severity in safety.categories.items():
        key = ("categories", chosen(name))
        if name not in known:
            hint = suggestion(name, known)
            yield Mistake(key=key, problem=f"is not a kind of harm; allowed: {', '.join(known)}{hint}")
        elif severity > _HIGHEST[scale]:
            problem = (
                f"is never reached on the scale {scale}; allowed: up to {_HIGHEST[scale]}; lower it, or change {{0}}"
            )
            yield Mistake(key=key, value=severity, problem=problem, about=(("output_type",),))
    if safety.output_type is not None and not safety.categories:
        problem = "has no effect without {0}; remove it, or give them"
        yield Mistake(key=("output_type",), value=str(scale), problem=problem, about=(("categories",),))
    window = safety.window
    if window is not None and window.overlap is not None and window.overlap >= window.size:
        problem = "must be less than {0}; change one of the two"
        yield Mistake(key=("window", "overlap"), value=window.overlap, problem=problem, about=(("window", "size"),))


def check_safety_tier(key: Key, sku: str, sku_key: Key) -> Iterator[Mistake]:
    """Refuse content safety in the tier whose gateway lacks it ("llm-content-safety", the tiers it applies to)."""
    if sku == GatewaySku.CONSUMPTION:
        problem = f"cannot be set with {{0}} {sku}, whose gateway cannot check content; remove it, or change {{0}}"
        yield Mistake(key=key, problem=problem, about=(sku_key,))
