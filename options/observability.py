"""What is kept of calls: where logs and metrics go, how many calls are recorded, and whether prompts are."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from options import alerts, existing, prices
from options.alerts import AlertOptions, check_alerts
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.gateway import GatewaySku
from options.metrics import MetricsOptions, MetricSource
from options.mistakes import Key, Mistake
from options.prices import PriceOptions, check_prices
from options.rules import Rules, boolean, excludes_existing, matches, number, prefixed

NAMESPACE = "openai-gateway"
"""Namespace of the metrics of APIs that do not name their own."""
LOGGED_MODELS = "ApiManagementGatewayLlmLog"
"""Table with the tokens and, if they are asked for, the prompts of each call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingComponent(ExistingResource):
    """An Application Insights component that another stack or team owns."""

    # Repeated here: the component host reads a field's description from its own class.
    name: str
    """Name of the component."""
    resource_group: str
    """Resource group that holds it."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""
    role_assigned: Defaulted[bool] = False
    """Whether its owner has given the gateway's identity the role Monitoring Metrics Publisher on it. Defaults to
    false: the role is assigned here, which Azure refuses if it is already assigned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppInsightsOptions:
    """Application Insights: what to create, which component to adopt, or that there is none."""

    enabled: Defaulted[bool] = True
    """Whether calls and metrics go to Application Insights. Defaults to true."""
    existing: ExistingComponent | None = None
    """Component to adopt without owning it. By default one is created, which takes data from identities alone."""
    name: str | None = None
    """Name of the component to create. Defaults to the component's name with a random suffix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogAnalyticsOptions:
    """The Log Analytics workspace: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Workspace to adopt without owning it. Defaults to that of an adopted Application Insights component, and else one
    is created."""
    name: str | None = None
    """Name of the workspace to create. Defaults to the component's name with a random suffix."""
    retention_days: int | None = None
    """Days for which the created workspace keeps what it gets, 30 to 730. Defaults to Azure's 30."""
    gateway_logs: bool | None = None
    """Whether the gateway's logs go there, with a row for each call and for its tokens. Defaults to true, except in
    Consumption, which has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptOptions:
    """That prompts and answers are logged, and how much of them for how long."""

    max_bytes: int
    """Most bytes that are logged of a prompt and of an answer, 1 to 262144."""
    retention_days: int | None = None
    """Days for which the created workspace keeps them, 4 to 730; required with one. It is also how long the tokens of
    each call are kept. An adopted workspace keeps them as its owner says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservabilityOptions:
    """What is kept of calls, for all APIs. Headers, query parameters and bodies are not, nor addresses of callers."""

    app_insights: Defaulted[AppInsightsOptions] = field(default_factory=AppInsightsOptions)
    """Application Insights, which gets calls, calls to accounts, failures and the metrics of tokens. By default a
    component is created."""
    log_analytics: Defaulted[LogAnalyticsOptions] = field(default_factory=LogAnalyticsOptions)
    """Log Analytics workspace, which holds all of it and the gateway's own logs. By default one is created."""
    sampling: Defaulted[int] = 100
    """Percentage of calls that Application Insights gets, 0 to 100; failed calls and metrics always. Defaults to 100.
    Beyond some 1,000 calls in a second, recording all of them costs throughput."""
    prompts: PromptOptions | None = None
    """Prompts and answers, which are personal data more often than not. Defaults to off."""
    alerts: AlertOptions | None = None
    """Who is told when something goes wrong. Defaults to nobody."""
    budget: int | None = None
    """US dollars that tokens may cost in a month; `alerts` tell if they cost more. Defaults to no budget."""
    prices: Defaulted[list[PriceOptions]] = field(default_factory=list)
    """What tokens cost, in place of the program's own list prices. Defaults to none."""


_WORKSPACE = matches(
    "[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "4 to 63 letters, digits and -, with a letter or digit at both ends",
)
_COMPONENT = matches(r"[^%&\\?/]{0,254}[^%&\\?/.]", r"1 to 255 characters without % & \ ? /, not ending in a dot")

VALUES: Rules = {
    "app_insights": (excludes_existing("component", "name"),),
    "app_insights.enabled": (boolean,),
    "app_insights.existing.name": (_COMPONENT,),
    **prefixed("app_insights.existing", existing.VALUES),
    "app_insights.existing.role_assigned": (boolean,),
    "app_insights.name": (_COMPONENT,),
    "log_analytics": (excludes_existing("workspace", "name", "retention_days"),),
    "log_analytics.existing.name": (_WORKSPACE,),
    **prefixed("log_analytics.existing", existing.VALUES),
    "log_analytics.name": (_WORKSPACE,),
    "log_analytics.retention_days": (number(30, 730, "a number of days from 30 to 730"),),
    "log_analytics.gateway_logs": (boolean,),
    "sampling": (number(0, 100, "a percentage from 0 to 100"),),
    **prefixed("alerts", alerts.VALUES),
    "budget": (number(1, None, "US dollars a month, a whole number from 1"),),
    **prefixed("prices.*", prices.VALUES),
    "prompts.max_bytes": (number(1, 262_144, "a number of bytes from 1 to 262144"),),
    "prompts.retention_days": (number(4, 730, "a number of days from 4 to 730"),),
}


def creates_workspace(observability: ObservabilityOptions) -> bool:
    """Tell whether a workspace is created."""
    return observability.log_analytics.existing is None and (
        observability.app_insights.existing is None or not observability.app_insights.enabled
    )


def has_gateway_logs(observability: ObservabilityOptions, sku: str | None) -> bool:
    """Tell whether the gateway's logs are kept; None: the tier is not known."""
    given = observability.log_analytics.gateway_logs
    return sku != GatewaySku.CONSUMPTION if given is None else given


def default_metrics(*, by_token: bool, keyed: bool, models: bool) -> MetricsOptions:
    """Return the metrics of an API that has none of its own: tokens by team, caller and model, as far as they exist.

    Args:
        by_token: whether the API validates a token.
        keyed: whether its callers need a subscription key.
        models: whether it is known which models there are.

    """
    return MetricsOptions(
        namespace=NAMESPACE,
        dimensions={
            "API ID": MetricSource.API,
            **({"Product ID": MetricSource.PRODUCT, "Subscription ID": MetricSource.SUBSCRIPTION} if keyed else {}),
            **({"Application": MetricSource.APPLICATION} if by_token else {}),
            **({"Model": MetricSource.MODEL} if models else {}),
        },
    )


def check_observability(observability: ObservabilityOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options together."""
    insights, logs, prompts = observability.app_insights, observability.log_analytics, observability.prompts
    if not insights.enabled:
        for name in ("existing", "name"):
            if getattr(insights, name) is not None:
                problem = "has no effect with {0} false; remove one of the two"
                yield Mistake(key=("app_insights", name), problem=problem, about=(("app_insights", "enabled"),))
        if observability.sampling != 100:
            problem = "has no effect without {0}, the only one that leaves calls out; remove it"
            yield Mistake(key=("sampling",), value=observability.sampling, problem=problem, about=(("app_insights",),))
        if logs.gateway_logs is False:
            yield Mistake(key=(), problem="keeps nothing; turn on {0} or {1}, or remove it", about=_BOTH)
    if insights.enabled and insights.existing is not None and logs.existing is None:
        for name in ("name", "retention_days"):
            if (given := getattr(logs, name)) is not None:
                problem = "has no effect, as the workspace of {0} is used; remove it, or create a component"
                about = (("app_insights", "existing"),)
                yield Mistake(key=("log_analytics", name), value=given, problem=problem, about=about)
    if prompts is not None:
        yield from _check_prompts(prompts, observability)
    yield from _check_alerts(observability)


def _check_prompts(prompts: PromptOptions, observability: ObservabilityOptions) -> Iterator[Mistake]:
    if observability.log_analytics.gateway_logs is False:
        problem = "conflicts with {0} false, as they are part of the gateway's logs; remove one of the two"
        yield Mistake(key=("prompts",), problem=problem, about=(("log_analytics", "gateway_logs"),))
    days = prompts.retention_days
    if creates_workspace(observability) and days is None:
        problem = "is missing; say for how many days prompts are kept, 4 to 730"
        yield Mistake(key=("prompts", "retention_days"), problem=problem)
    if not creates_workspace(observability) and days is not None:
        problem = (
            "cannot be set on an adopted workspace, as it would delete what others log there; remove it, and have the "
            f"owner set the retention of the table {LOGGED_MODELS}"
        )
        yield Mistake(key=("prompts", "retention_days"), value=days, problem=problem)


def _check_alerts(observability: ObservabilityOptions) -> Iterator[Mistake]:
    if observability.alerts is not None:
        yield from (mistake.under("alerts") for mistake in check_alerts(observability.alerts))
        if observability.log_analytics.gateway_logs is False:
            problem = "conflicts with {0} false, as they read the gateway's logs; remove one of the two"
            yield Mistake(key=("alerts",), problem=problem, about=(("log_analytics", "gateway_logs"),))
    if observability.budget is not None and observability.alerts is None:
        problem = "tells nobody without {0}; say there who is told, or remove it"
        yield Mistake(key=("budget",), value=observability.budget, problem=problem, about=(("alerts",),))
    if observability.budget is not None and not observability.app_insights.enabled:
        problem = "needs the metrics of tokens, which {0} has; turn that on, or remove it"
        yield Mistake(key=("budget",), value=observability.budget, problem=problem, about=(("app_insights",),))
    yield from (mistake.under("prices") for mistake in check_prices(observability.prices))


_BOTH: tuple[Key, ...] = (("app_insights",), ("log_analytics", "gateway_logs"))


def check_observability_tier(
    observability: ObservabilityOptions, key: Key, sku: str, sku_key: Key
) -> Iterator[Mistake]:
    """Refuse gateway logs in the tier that lacks them ("Feature-based comparison of the Azure API Management tiers").

    Args:
        observability: the options.
        key: where they are.
        sku: the service's pricing tier.
        sku_key: where it is named.

    """
    if sku != GatewaySku.CONSUMPTION:
        return
    if observability.log_analytics.gateway_logs:
        problem = f"conflicts with {{0}} {sku}, which has no such logs; set it to false, or change {{0}}"
        yield Mistake(key=(*key, "log_analytics", "gateway_logs"), value=True, problem=problem, about=(sku_key,))
    if observability.prompts is not None:
        problem = f"cannot be set with {{0}} {sku}, which has no gateway logs; remove it, or change {{0}}"
        yield Mistake(key=(*key, "prompts"), problem=problem, about=(sku_key,))
    if observability.alerts is not None:
        problem = f"cannot be set with {{0}} {sku}, which has no gateway logs to read; remove it, or change {{0}}"
        yield Mistake(key=(*key, "alerts"), problem=problem, about=(sku_key,))
    if not observability.app_insights.enabled:
        problem = f"is off, which conflicts with {{0}} {sku}, as that has nothing else; remove it, or change {{0}}"
        yield Mistake(key=(*key, "app_insights"), problem=problem, about=(sku_key,))
