"""What is reported about a call: by policies, and by the diagnostics of its API. All of it is plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import LastError

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


@dataclass(frozen=True, slots=True)
class BackendCall:
    """A call to a backend, as diagnostics record it."""

    backend_id: str | None
    method: str
    url: str
    """Without the query."""
    query: str = field(repr=False)
    status: int | None
    """None: there was no response."""
    milliseconds: float
    request_headers: CIMultiDict[str] = field(repr=False)
    response_headers: CIMultiDict[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LlmCall:
    """A call of a language model, as diagnostics record it."""

    deployment: str
    """What the caller named: the deployment in the path, or the model in the body."""
    model: str
    """Model that the answer names; empty where it names none."""
    request_id: str
    """What the answer calls itself; empty where it does not."""
    prompt_tokens: int
    completion_tokens: int
    streamed: bool
    prompt: str | None = field(repr=False)
    """The prompt's messages as JSON, None where there are none."""
    completion: str | None = field(repr=False)
    """The answer's messages as JSON, None where there are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallLog:
    """A call with all that a diagnostic may record of it."""

    correlation_id: str
    time: float
    """When it arrived, in Unix time."""
    milliseconds: float
    method: str
    url: str
    """Without the query."""
    query: str = field(repr=False)
    ip_address: str
    api_id: str | None
    operation_id: str | None
    product_id: str | None
    subscription_id: str | None
    status: int
    request_size: int
    response_size: int
    error: LastError | None
    backends: tuple[BackendCall, ...]
    request_headers: CIMultiDict[str] = field(repr=False)
    response_headers: CIMultiDict[str] = field(repr=False)
    request_body: bytes = field(repr=False)
    response_body: bytes = field(repr=False)
    metrics: tuple[Metric, ...]
    traces: tuple[TraceEntry, ...]
    llm: LlmCall | None
