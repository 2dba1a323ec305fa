"""Metrics of the tokens that an API's callers use, as a policy that runs once it is known who calls which model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components._caller import TokenCaller
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
        dimensions = [Dimension(name=name, value=values[source]) for name, source in self.metrics.dimensions.items()]
        emit = _EMIT_TOKEN_METRIC[self.token_policies]
        return [emit(namespace=self.metrics.namespace, dimensions=dimensions)]


NO_METRICS = Metrics()


def api_metrics(args: Mapping[str, Any], *, caller: TokenCaller | None) -> Metrics:
    """Return the metrics of an API, from its inputs `metrics`, `models` and `token_policies`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    given = args.get("metrics")
    if given is None:
        return NO_METRICS
    metrics = read_options(MetricsOptions, given, "metrics")
    raise_mistakes(
        check_metrics_in_use(metrics, ("metrics",), (), by_token=caller is not None, models=args.get("models") or ())
    )
    token_policies = TokenPolicies(args.get("token_policies") or TokenPolicies.LLM)
    return Metrics(metrics=metrics, token_policies=token_policies, caller=caller)
