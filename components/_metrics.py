"""Metrics of the tokens that an API's callers use, as a policy that runs once it is known who calls which model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components._caller import application
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
    entra: bool = False
    """Whether callers present tokens of Microsoft Entra ID rather than of another provider."""

    @property
    def by_token(self) -> bool:
        """Whether a dimension comes from the validated token."""
        return self.metrics is not None and MetricSource.APPLICATION in self.metrics.dimensions.values()

    def policies(self) -> list[Policy]:
        """Return the policy, if there are metrics."""
        if self.metrics is None:
            return []
        values = {**_VALUES, MetricSource.APPLICATION: application(entra=self.entra)}
        dimensions = [Dimension(name=name, value=values[source]) for name, source in self.metrics.dimensions.items()]
        emit = _EMIT_TOKEN_METRIC[self.token_policies]
        return [emit(namespace=self.metrics.namespace, dimensions=dimensions)]


NO_METRICS = Metrics()


def api_metrics(args: Mapping[str, Any], *, by_token: bool, entra: bool) -> Metrics:
    """Return the metrics of an API, from its inputs `metrics`, `models` and `token_policies`.

    Raises:
        pulumi.RunError: The options have mistakes; all of them are listed.

    """
    given = args.get("metrics")
    if given is None:
        return NO_METRICS
    metrics = read_options(MetricsOptions, given, "metrics")
    raise_mistakes(check_metrics_in_use(metrics, ("metrics",), (), by_token=by_token, models=args.get("models") or ()))
    token_policies = TokenPolicies(args.get("token_policies") or TokenPolicies.LLM)
    return Metrics(metrics=metrics, token_policies=token_policies, entra=entra)
