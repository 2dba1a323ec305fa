"""The trace of a call as plain values: masked, shortened and never changed."""

from dataclasses import dataclass

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Read:
    """Something that a policy or its expressions looked at."""

    what: str
    """As expressions name it below `context`, such as `Request.Headers[X-Team]`."""
    value: str | None
    """None where it was absent."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was before."""

    what: str
    """As in `Read`; also `Backend`, `Metric[name]` and `Trace[source]`."""
    before: str | None
    after: str | None
    """None where it was removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A policy at work."""

    policy: str
    section: str
    scope: str
    """`global`, `product`, `api` or `operation`."""
    path: str
    """Where it stands in its section, such as `choose[3]/when[2]/set-header`."""
    policy_id: str
    document: str
    """Document that it stands in, such as `api openai`."""
    line: int
    started: float
    """Milliseconds after the start of the call."""
    duration: float
    """Milliseconds, with the policies inside it."""
    reads: tuple[Read, ...]
    changes: tuple[Change, ...]
    """What changed while it ran, without what the policies inside it changed. Approximate inside `wait`."""
    outcome: str | None
    """How it ended where the next policy does not simply follow."""
    error: str | None
    """`LastError.Reason` and message, None where nothing failed here."""
    children: tuple["Span", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallTrace:
    """A call from its arrival until its response went out."""

    number: int
    """Counted from 1 as calls end."""
    id: str
    """`context.RequestId`."""
    time: float
    """When it arrived, in Unix seconds of the emulator's clock."""
    duration: float
    """Milliseconds."""
    method: str
    url: str
    """Path and query as they arrived."""
    caller: str
    """IP address."""
    api: str | None
    operation: str | None
    product: str | None
    subscription: str | None
    status: int | None
    """None where the caller went away before there was a response."""
    backend_called: bool
    sent: int
    """Bytes of the response's body that went out."""
    error: str | None
    spans: tuple[Span, ...]
    changes: tuple[Change, ...]
    """What changed outside any policy, such as when a limit counts the response's tokens."""
    omitted: int
    """Policies, reads and changes that were too many to keep."""


_TRACES = TypeAdapter(list[CallTrace])


def to_json(traces: list[CallTrace]) -> bytes:
    """Write traces as JSON."""
    return _TRACES.dump_json(traces)


def from_json(text: bytes) -> list[CallTrace]:
    """Read traces again; raises `ValueError` where they are none."""
    return _TRACES.validate_json(text)
