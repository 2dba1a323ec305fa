"""What a test gives and gets: plain values that read like those of `requests`."""

import json as json_library
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import LastError
from apim_emulator.gateway.telemetry import EventHubMessage, Metric, TraceEntry
from apim_emulator.tracing import CallTrace

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as a backend saw it."""

    backend: str
    """Backend ID or host whose function answered it."""
    method: str
    url: str
    """As it went out, percent-encoded."""
    headers: CIMultiDict[str] = field(repr=False)
    """Header names are compared without case."""
    content: bytes = field(repr=False)
    certificate: str | None = None
    """Thumbprint of the client certificate that the gateway presented."""

    @property
    def path(self) -> str:
        """Path of the URL, percent-encoded."""
        return urlsplit(self.url).path

    @property
    def params(self) -> dict[str, list[str]]:
        """Query parameters with their values, decoded."""
        return parse_qs(urlsplit(self.url).query, keep_blank_values=True)

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.content.decode()

    def json(self) -> Any:
        """Parse the body; raises `ValueError` where it is no JSON."""
        return json_library.loads(self.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a backend answers."""

    status_code: int = 200
    content: str | bytes | Iterable[bytes] | AsyncIterable[bytes] = b""
    """The body, or its parts as they arrive. Parts that raise `ConnectionError` break off."""
    json: Any = None
    """The body in place of `content`; sets `Content-Type`."""
    headers: Headers = field(default_factory=dict)
    reason: str | None = None
    """Reason phrase. Defaults to the standard one."""

    def __post_init__(self) -> None:
        """Refuse two bodies."""
        if self.json is not None and self.content:
            raise ValueError("a Reply has content or json, not both")


BackendFunction = Callable[[Request], Reply | Awaitable[Reply]]
"""A backend; it raises `ConnectionError` or `TimeoutError` for one that fails."""


def event_stream(*events: object) -> Reply:
    """Make the reply of a model that streams: each event a part of its own, JSON unless it is text, then `[DONE]`."""
    texts = [event if isinstance(event, str) else json_library.dumps(event) for event in (*events, "[DONE]")]
    parts = [f"data: {text}\n\n".encode() for text in texts]
    return Reply(content=parts, headers={"Content-Type": "text/event-stream"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What the caller got, and how it came about."""

    status_code: int
    reason: str
    headers: CIMultiDict[str]
    """Header names are compared without case."""
    chunks: tuple[bytes, ...] = field(repr=False)
    """The body in the parts in which it went out."""
    broken: bool
    """Whether the body broke off, so that the caller's connection is aborted."""
    requests: tuple[Request, ...]
    """What the backends saw, in order; questions to token providers are not among them."""
    variables: Mapping[str, object] = field(repr=False)
    """`context.Variables` at the end."""
    error: LastError | None
    """`context.LastError`, None where nothing failed."""
    metrics: tuple[Metric, ...]
    """What metric policies emitted."""
    traces: tuple[TraceEntry, ...]
    """What `trace` policies wrote."""
    events: tuple[EventHubMessage, ...]
    """What `log-to-eventhub` policies sent."""
    trace: CallTrace | None = field(repr=False)
    """The call policy by policy, secrets masked; None where the bench records none."""

    @property
    def content(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.content.decode()

    def json(self) -> Any:
        """Parse the body; raises `ValueError` where it is no JSON."""
        return json_library.loads(self.content)
