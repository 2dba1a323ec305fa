"""Metrics of the tokens that an API's callers use, as a policy that runs once it is known who calls which model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components._backends import openai_accounts
from components._caller import MODEL, SET_MODEL, TokenCaller
from components._inputs import raise_mistakes, read_options
from components._requests import DEPLOYMENT_VARIABLE
from options import MetricsOptions, MetricSource, TokenPolicies
from options.metrics import check_metrics_in_use
from policies import AzureOpenAIEmitTokenMetric, Dimension, LlmEmitTokenMetric, Policy

_NONE = '"none"'
_VALUES: Mapping[MetricSource, str] = {
    MetricSource.API: "@(context.Api.Id)",
    MetricSource.OPERATION: "@(context.Operation.Id)",
    MetricSource.PRODUCT: f"@(context.Product == null ? {_NONE} : context.Product.Id)",
    MetricSource.SUBSCRIPTION: f"@(context.Subscription == null ? {_NONE} : context.Subscription.Id)",
    MetricSource.MODEL: (
        f'@(context.Variables.GetValueOrDefault<string>("{DEPLOYMENT_VARIABLE}", "") == "" ? {_NONE}'
        f' : context.Variables.GetValueOrDefault<string>("{DEPLOYMENT_VARIABLE}", ""))'
    ),
}
_EMIT_TOKEN_METRIC: Mapping[TokenPolicies, type[LlmEmitTokenMetric]] = {
    TokenPolicies.LLM: LlmEmitTokenMetric,
    TokenPolicies.AZURE_OPENAI: AzureOpenAIEmitTokenMetric,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """The metrics of an API."""

    metrics: MetricsOptions | None = None
    token_policies: TokenPolicies = TokenPolicies.LLM
    caller: TokenCaller | None = None
    """How the validated token names the caller; None: no token is validated."""
    deployments: Sequence[str] = ()
    """Deployments of the accounts, for an API that offers all of them. Empty: the API's `models` are what it offers."""

    @property
    def by_token(self) -> bool:
        """Whether a dimension comes from the validated token."""
        return self.metrics is not None and MetricSource.APPLICATION in self.metrics.dimensions.values()

    def policies(self) -> list[Policy]:
        """Return the policy, if there are metrics."""
        if self.metrics is None:
            return []
        values = dict(_VALUES)
        if self.caller is not None:
            values[MetricSource.APPLICATION] = f"@({self.caller.application})"
        before: list[Policy] = []
        if self.deployments and MetricSource.MODEL in self.metrics.dimensions.values():
            values[MetricSource.MODEL] = _one_of(self.deployments)
            before.append(SET_MODEL)
        dimensions = [Dimension(name=name, value=values[source]) for name, source in self.metrics.dimensions.items()]
        emit = _EMIT_TOKEN_METRIC[self.token_policies]
        return [*before, emit(namespace=self.metrics.namespace, dimensions=dimensions)]


def _one_of(deployments: Sequence[str]) -> str:
    """Return the expression for the deployment that the call names, or `other`, so that callers make up no values."""
    names = ", ".join(f'"{name}"' for name in deployments)
    same = f'name.ToLowerInvariant() == (string)context.Variables["{MODEL}"]'
    return f'@(new[] {{ {names} }}.FirstOrDefault(name => {same}) ?? "other")'


NO_METRICS = Metrics()


def api_metrics(args: Mapping[str, Any], *, caller: TokenCaller | None) -> Metrics:
    """Return the metrics of an API, from its inputs `metrics`, `models`, `accounts` and `token_policies`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    given = args.get("metrics")
    if given is None:
        return NO_METRICS
    metrics = read_options(MetricsOptions, given, "metrics")
    offered = bool(args.get("models"))
    deployments = () if offered else _deployments(args)
    known = offered or bool(deployments)
    raise_mistakes(check_metrics_in_use(metrics, ("metrics",), (), by_token=caller is not None, models=known))
    token_policies = TokenPolicies(args.get("token_policies") or TokenPolicies.LLM)
    return Metrics(metrics=metrics, token_policies=token_policies, caller=caller, deployments=deployments)


def _deployments(args: Mapping[str, Any]) -> Sequence[str]:
    """Return the deployments of all accounts, or nothing if they are not known of one."""
    known = [account.deployments for account in openai_accounts(args["accounts"])]
    return list(dict.fromkeys(name for own in known for name in own or ())) if None not in known else ()
