"""Metrics of the tokens that callers use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options.defaulted import Defaulted
from options.mistakes import Key, Mistake
from options.rules import Rules, chosen, matches
from policies import DEFAULT_DIMENSIONS

_MOST_OWN = 5
"""Dimensions of one's own in a metric ("llm-emit-token-metric", limits for custom metrics)."""


class MetricSource(StrEnum):
    """Where a dimension's value comes from. Each of them has few values, since each value is a time series of its own.

    There is none for the user of a token, a header or the request: callers would decide how many values there are.
    """

    API = "api"
    """Identifier of the API."""
    OPERATION = "operation"
    """Identifier of the operation."""
    PRODUCT = "product"
    """Identifier of the subscription's product, or `none`."""
    SUBSCRIPTION = "subscription"
    """Identifier of the subscription, or `none`."""
    APPLICATION = "application"
    """Client ID of the application that the validated token was issued to, or `none`."""
    MODEL = "model"
    """Deployment that answers, one of the API's `models`, or `none`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsOptions:
    """Metrics of the tokens of each call, sent to the Application Insights instance of the API's diagnostics."""

    namespace: str
    """Namespace of the metrics."""
    dimensions: Defaulted[dict[str, MetricSource]] = field(default_factory=lambda: {"API ID": MetricSource.API})
    """Dimensions by which the metrics can be split, by name, at most five besides those that the gateway names itself.
    Defaults to `API ID`."""


_STANDARD: Mapping[str, MetricSource] = {
    "API ID": MetricSource.API,
    "Operation ID": MetricSource.OPERATION,
    "Product ID": MetricSource.PRODUCT,
    "Subscription ID": MetricSource.SUBSCRIPTION,
}
"""The gateway's own names that have one of the sources."""


def _names(key: Key, value: object) -> Iterator[Mistake]:
    for name in value if isinstance(value, Mapping) else ():
        for mistake in _name(key, name):
            yield Mistake(key=(*key, chosen(name)), problem=f"is a name that {mistake.problem}")


_TEXT = "1 to 100 letters, digits, spaces and . _ / -, without spaces around them"
_name = matches(r"(?! )[A-Za-z0-9 ._/-]{1,100}(?<! )", _TEXT)

VALUES: Rules = {
    "namespace": (_name,),
    "dimensions": (_names,),
}


def check_metrics(metrics: MetricsOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the dimensions."""
    if not metrics.dimensions:
        yield Mistake(key=("dimensions",), problem="is empty; list at least one, or leave it out for API ID")
    own = [name for name in metrics.dimensions if name not in DEFAULT_DIMENSIONS]
    if len(own) > _MOST_OWN:
        problem = (
            f"has {len(own)} dimensions of your own; allowed: up to {_MOST_OWN}, besides {', '.join(_STANDARD)}; "
            "remove some"
        )
        yield Mistake(key=("dimensions",), problem=problem)
    for name, source in metrics.dimensions.items():
        if name in DEFAULT_DIMENSIONS and _STANDARD.get(name) is not source:
            meant = f"is {_STANDARD[name]}" if name in _STANDARD else "the gateway fills in"
            problem = f"does not fit a dimension of this name, which {meant}; change one of the two"
            yield Mistake(key=("dimensions", chosen(name)), value=str(source), problem=problem)


def check_metrics_in_use(
    metrics: MetricsOptions, key: Key, api: Key, *, by_token: bool, models: bool
) -> Iterator[Mistake]:
    """Refuse dimensions that would have no value, or as many as callers like.

    Args:
        metrics: the metrics.
        key: where they are.
        api: the API to which they apply.
        by_token: whether the API validates a token.
        models: whether it is known which models there are.

    """
    for name, source in metrics.dimensions.items():
        place = (*key, "dimensions", chosen(name))
        if source is MetricSource.APPLICATION and not by_token:
            problem = (
                "comes from the validated token, but {0} is not entra, so no token is validated; change that, or use "
                "subscription"
            )
            yield Mistake(key=place, value=str(source), problem=problem, about=((*api, "auth"),))
        if source is MetricSource.MODEL and not models:
            problem = "would have a value for each name that callers make up; list {0}, or remove the dimension"
            yield Mistake(key=place, value=str(source), problem=problem, about=((*api, "models"),))
