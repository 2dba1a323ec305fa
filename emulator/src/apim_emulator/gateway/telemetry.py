"""What policies report about a call: metrics and trace entries, kept with the call as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_NAMESPACE = "API Management"


@dataclass(frozen=True, slots=True)
class Metric:
    """A custom metric, as Application Insights would get it."""

    namespace: str
    name: str
    value: float
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventHubMessage:
    """A message of the `log-to-eventhub` policy."""

    logger_id: str
    message: str = field(repr=False)
    partition_id: int | None = None
    partition_key: str | None = None


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """An entry of the `trace` policy, or a note of a policy that keeps its failures to itself."""

    source: str
    severity: str
    """`verbose`, `information` or `error`."""
    message: str = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
