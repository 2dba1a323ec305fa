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
class SubCall:
    """A call that the gateway made on its own account."""

    purpose: str
    """What for, such as `send-request`, `content safety`, `embeddings` or `keys`."""
    method: str
    url: str
    status: int | None
    """None where there was no response."""
    error: str | None
    started: float
    """Milliseconds after the start of the call."""
    duration: float
    """Milliseconds; of a call that was not waited for, until the gateway went on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A call to the backend; `retry` makes several, and a pool may choose another member for each."""

    backend: str | None
    """ID of the backend. None: a URL without a backend of its own, or none was in service."""
    pool: str | None
    """ID of the pool that chose it."""
    url: str
    """Without the backend's credentials."""
    status: int | None
    error: str | None
    started: float
    """Milliseconds after the start of the call."""
    duration: float
    """Milliseconds until the response's headers were there."""
    breaker: str | None
    """State of the backend's circuit breaker after it, None where it has none."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a token says, or that is demanded of it."""

    name: str
    """Of the claim; `signature` for what signed the token."""
    found: str | None
    """None where the token lacks it; times are written as dates."""
    demanded: str | None
    """In words, None where the policy demands nothing."""
    ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCheck:
    """A token beside what a policy demands of it, without the token itself."""

    accepted: bool
    claims: tuple[Claim, ...]
    """What is demanded first, in the order of the checks; the first that is not `ok` is why it was refused."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a call."""

    prompt: int
    completion: int
    total: int
    reported: bool
    """Whether the model reported them; False for an estimate."""


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
    source: str
    """Its start tag as the document has it, with named values as `{{name}}`."""
    started: float
    """Milliseconds after the start of the call."""
    duration: float
    """Milliseconds, with the policies inside it."""
    reads: tuple[Read, ...]
    changes: tuple[Change, ...]
    """What changed while it ran, without what the policies inside it changed. Approximate inside `wait`."""
    notes: tuple[str, ...]
    """What it did that is no change, in words."""
    calls: tuple[SubCall, ...]
    token: TokenCheck | None
    """The token that it looked at, where there was one that can be read."""
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
    headers: tuple[tuple[str, str], ...]
    """Names and values as they arrived, without those that concern only the connection."""
    body: int | None
    """Bytes of the request's body; None where the caller did not announce how many."""
    caller: str
    """IP address."""
    service: str
    identity: str
    """Who called: `subscription ID`, `application ID` by a validated token, or `anonymous`."""
    api: str | None
    operation: str | None
    product: str | None
    subscription: str | None
    deployment: str | None
    """Deployment of the model, as the URL or the prompt names it."""
    status: int | None
    """None where the caller went away before there was a response."""
    backend_called: bool
    attempts: tuple[Attempt, ...]
    tokens: TokenCount | None
    """None where no policy counts them."""
    sent: int
    """Bytes of the response's body that went out."""
    error: str | None
    spans: tuple[Span, ...]
    changes: tuple[Change, ...]
    """What changed outside any policy, such as when a limit counts the response's tokens."""
    notes: tuple[str, ...]
    """What was done outside any policy, in words: the check of the subscription key, what was counted at the end."""
    calls: tuple[SubCall, ...]
    """Calls outside any policy, such as checks of a stream as it passes."""
    omitted: int
    """Policies, reads, changes and notes that were too many to keep."""


_TRACES = TypeAdapter(list[CallTrace])


def to_json(traces: list[CallTrace]) -> bytes:
    """Write traces as JSON."""
    return _TRACES.dump_json(traces)


def from_json(text: bytes) -> list[CallTrace]:
    """Read traces again; raises `ValueError` where they are none."""
    return _TRACES.validate_json(text)
