"""Alerts on what the gateway logs, and who is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict
from urllib.parse import urlsplit

import pulumi
from pulumi_azure_native import managedidentity, monitor

from components._inputs import read_options
from components._roles import LOG_ANALYTICS_READER, assign_role
from options import AlertOptions, BreakerOptions, PriceOptions, TokenQuota
from options.breaker import code_range
from options.prices import prices_of
from queries import Value, query

RUNBOOKS = "docs/operations.md"
"""Page with a section for each alert."""

_SHORT_NAME = "AI gateway"
"""How text messages name the action group, in at most 12 characters."""


class AlertsArgs(TypedDict):
    """Inputs of `Alerts`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the rules, the action group and the identity of the rules."""
    workspace_id: pulumi.Input[str]
    """Log Analytics workspace that gets the service's gateway logs and the metrics of tokens."""
    service_id: pulumi.Input[str]
    """Resource ID of the API Management service."""
    api_ids: pulumi.Input[list[str]]
    """Identifiers of the APIs on the service that the alerts are about."""
    alerts: AlertOptions
    """Who is told, and what counts as wrong."""
    account_urls: NotRequired[pulumi.Input[list[str]]]
    """Endpoints of the accounts that make a pool, whose circuit breakers are watched. Defaults to none, for no pool."""
    sees_accounts: NotRequired[bool]
    """Whether Application Insights gets the calls to accounts, without which no circuit breaker is seen. Defaults to
    true."""
    breaker: NotRequired[BreakerOptions]
    """Circuit breaker of these accounts. Defaults to that of `OpenAIBackend`."""
    quotas: NotRequired[list[TokenQuota]]
    """Token quotas that are watched. Defaults to none."""
    budget: NotRequired[int | None]
    """US dollars that tokens may cost in a month. Defaults to no alert on the cost."""
    deployments: NotRequired[dict[str, str]]
    """Model of each deployment, by its name, for the cost."""
    prices: NotRequired[list[PriceOptions]]
    """Prices of tokens in place of the program's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """A rule: how its query is run, and what its result means."""

    title: str
    says: str
    severity: int
    """0 is critical, 1 an error, 2 a warning, 3 information."""
    column: str
    operator: str = "GreaterThan"
    aggregation: str = "Maximum"
    dimensions: Sequence[str] = ("ApiId",)
    frequency: str = "PT5M"
    window: str = "PT15M"


_RULES: Mapping[str, _Rule] = {
    "throttled": _Rule(
        title="Calls are throttled",
        says="More than {0} % of an API's calls got 429.",
        severity=2,
        column="Percentage",
    ),
    "breaker-open": _Rule(
        title="The circuit breaker of an account is open",
        says="An account failed more than {0} calls, so it gets none for a while.",
        severity=2,
        column="Failures",
        dimensions=("Target",),
        window="PT5M",
    ),
    "no-account-left": _Rule(
        title="All circuit breakers are open",
        says="No account was left for a call.",
        severity=1,
        column="Calls",
        window="PT5M",
    ),
    "quota-near-its-end": _Rule(
        title="A token quota is nearly used up",
        says="Less than {0} % of a token quota is left.",
        severity=3,
        column="Percentage",
        operator="LessThan",
        aggregation="Minimum",
        dimensions=("ApiId", "ApimSubscriptionId", "Header"),
        window="PT1H",
        frequency="PT15M",
    ),
    "unauthorized": _Rule(
        title="Many calls have no valid credential",
        says="More than {0} of an API's calls got 401 for the same reason.",
        severity=2,
        column="Calls",
        dimensions=("ApiId", "Reason"),
    ),
    "backend-errors": _Rule(
        title="Azure OpenAI fails",
        says="Azure OpenAI failed, or was not reached, for more than {0} % of an API's calls.",
        severity=1,
        column="Percentage",
    ),
    "spend": _Rule(
        title="Tokens cost more than the budget",
        says="At the pace of the last day, tokens cost more than {0} % of the month's budget.",
        severity=2,
        column="Percentage",
        dimensions=(),
        frequency="PT1H",
        window="P1D",
    ),
}
"""The rules by the query that they run, whose name is also that of their runbook's section."""

MEASURED: Mapping[str, tuple[str, Sequence[str]]] = {
    name: (rule.column, rule.dimensions) for name, rule in _RULES.items()
}
"""Columns that a query has to return: the number that its rule measures, and the dimensions."""


class Alerts(pulumi.ComponentResource):
    """Log search alerts on the gateway, with an action group, and the identity with which they read the workspace."""

    action_group_id: pulumi.Output[str] | None
    """Resource ID of the action group that is created; none if there are no addresses."""
    rule_ids: pulumi.Output[dict[str, str]]
    """Resource ID of each rule, by the name of its query."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:Alerts", name, {}, opts)
        options = read_options(AlertOptions, args["alerts"], "alerts")
        child = pulumi.ResourceOptions(parent=self)
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity", resource_group_name=args["resource_group_name"], opts=child
        )
        role = assign_role(
            f"{name}-role",
            scope=args["workspace_id"],
            principal_id=identity.principal_id,
            role=LOG_ANALYTICS_READER,
            parent=self,
        )
        created = self._action_group(name, args, options)
        groups: list[pulumi.Input[str]] = [] if created is None else [created.id]
        if options.action_group is not None:
            groups.append(options.action_group)
        rules = {
            rule: self._rule(
                name, rule, threshold, args, self._query(rule, args), groups=groups, identity=identity, role=role
            )
            for rule, threshold in _thresholds(options, args).items()
        }
        self.action_group_id = None if created is None else created.id
        self.rule_ids = pulumi.Output.all(**{rule: resource.id for rule, resource in rules.items()})
        self.register_outputs({"actionGroupId": self.action_group_id, "ruleIds": self.rule_ids})

    def _action_group(self, name: str, args: AlertsArgs, options: AlertOptions) -> monitor.ActionGroup | None:
        if not options.email:
            return None
        return monitor.ActionGroup(
            f"{name}-group",
            resource_group_name=args["resource_group_name"],
            location="Global",
            group_short_name=_SHORT_NAME,
            email_receivers=[
                {"name": address, "email_address": address, "use_common_alert_schema": True}
                for address in options.email
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _query(self, rule: str, args: AlertsArgs) -> pulumi.Output[str]:
        quotas = [read_options(TokenQuota, quota, f"quotas[{i}]") for i, quota in enumerate(args.get("quotas") or ())]
        own = [read_options(PriceOptions, price, f"prices[{i}]") for i, price in enumerate(args.get("prices") or ())]
        fixed: dict[str, Value] = {
            "prices": prices_of(args.get("deployments") or {}, own),
            "budget": args.get("budget") or 0,
            "quotas": [(quota.api_id, quota.product_id or "", quota.header, quota.amount) for quota in quotas],
            "codes": _failures(_breaker(args)),
        }

        def filled(known: dict[str, Any]) -> str:
            return query(
                f"alerts/{rule}",
                fixed
                | {
                    "service": known["service"],
                    "apis": known["apis"],
                    "accounts": [str(urlsplit(url).hostname) for url in known["accounts"]],
                },
            )

        return pulumi.Output.all(
            service=args["service_id"], apis=args["api_ids"], accounts=args.get("account_urls") or []
        ).apply(filled)

    def _rule(
        self,
        name: str,
        kind: str,
        threshold: int,
        args: AlertsArgs,
        text: pulumi.Output[str],
        *,
        groups: Sequence[pulumi.Input[str]],
        identity: managedidentity.UserAssignedIdentity,
        role: pulumi.Resource,
    ) -> monitor.ScheduledQueryRule:
        rule = _RULES[kind]
        return monitor.ScheduledQueryRule(
            f"{name}-{kind}",
            resource_group_name=args["resource_group_name"],
            kind=monitor.Kind.LOG_ALERT,
            display_name=rule.title,
            description=f"{rule.says.format(threshold)} What to do: {RUNBOOKS}#alert-{kind}",
            severity=rule.severity,
            enabled=True,
            scopes=[args["workspace_id"]],
            evaluation_frequency=rule.frequency,
            window_size=rule.window,
            auto_mitigate=True,
            # A new workspace may not know the tables before it has rows (inferred); tests run the query.
            skip_query_validation=True,
            identity=monitor.MicrosoftCommonIdentityArgs(
                type=monitor.IdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            criteria=monitor.ScheduledQueryRuleCriteriaArgs(all_of=[_condition(rule, text, threshold)]),
            actions=monitor.ActionsArgs(
                action_groups=groups, custom_properties={"runbook": f"{RUNBOOKS}#alert-{kind}"}
            ),
            # Until it has its role, the identity cannot read the workspace.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
        )


def _condition(rule: _Rule, text: pulumi.Output[str], threshold: int) -> monitor.ConditionArgs:
    return monitor.ConditionArgs(
        query=text,
        time_aggregation=rule.aggregation,
        metric_measure_column=rule.column,
        dimensions=[
            monitor.DimensionArgs(name=dimension, operator="Include", values=["*"]) for dimension in rule.dimensions
        ],
        operator=rule.operator,
        threshold=threshold,
        failing_periods=monitor.ConditionFailingPeriodsArgs(
            min_failing_periods_to_alert=1, number_of_evaluation_periods=1
        ),
    )


def _thresholds(options: AlertOptions, args: AlertsArgs) -> dict[str, int]:
    """Return the rules that are created, each with the value beyond which it fires."""
    pool, seen = args.get("account_urls") not in (None, []), args.get("sees_accounts") is not False
    return {
        "throttled": options.throttled,
        **({"breaker-open": _breaker(args).count - 1} if pool and seen else {}),
        **({"no-account-left": 0} if pool else {}),
        **({"quota-near-its-end": options.quota_left} if args.get("quotas") else {}),
        "unauthorized": options.unauthorized,
        "backend-errors": options.backend_errors,
        **({"spend": 100} if args.get("budget") else {}),
    }


def _breaker(args: AlertsArgs) -> BreakerOptions:
    return read_options(BreakerOptions, args.get("breaker") or BreakerOptions(), "breaker")


def _failures(breaker: BreakerOptions) -> list[str]:
    """Return the results of calls that count as failures; 0 stands for a call without an answer."""
    ranges = map(code_range, breaker.status_codes)
    return ["0", *(str(code) for low, high in ranges for code in range(low, high + 1))]
