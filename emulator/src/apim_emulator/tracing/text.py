"""Traces as trees of text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from apim_emulator.tracing.model import Attempt, CallTrace, Change, Claim, Read, Span, SubCall

ABSENT = "(none)"
OUTSIDE = "outside any policy"
"""Where what no policy did is shown."""


def as_text(call: CallTrace) -> str:
    """Draw a call as a tree: sections, policies, what each read and changed."""
    lines = [headline(call), *(f"  {detail}" for detail in details(call))]
    groups = [
        (section, [line for span in spans for line in _span(span)])
        for section, spans in groupby(call.spans, key=lambda span: span.section)
    ]
    outside = [*call.notes, *map(call_text, call.calls), *map(_change, call.changes)]
    if outside:
        groups.append((OUTSIDE, outside))
    for number, (name, inner) in enumerate(groups, 1):
        last = number == len(groups)
        lines.append(f"{'└' if last else '├'}─ {name}")
        lines += [f"{' ' if last else '│'}  {line}" for line in inner]
    return "\n".join(lines)


def headline(call: CallTrace) -> str:
    """Say in a line what was called and what came of it."""
    status = "no response" if call.status is None else str(call.status)
    return f"#{call.number} {call.method} {call.url} -> {status}, {call.duration:.1f} ms"


def details(call: CallTrace) -> Iterator[str]:
    """List the rest about the call as a whole."""
    at = datetime.fromtimestamp(call.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield f"at {at} from {call.caller}, {call.identity}, request ID {call.id}"
    places = {
        "API": call.api, "operation": call.operation, "product": call.product, "subscription": call.subscription,
        "deployment": call.deployment,
    }  # fmt: skip
    found = ", ".join(f"{kind} {name}" for kind, name in places.items() if name is not None)
    yield (found or "no API") + (f" (service {call.service})" if call.service else "")
    yield f"backend {'called' if call.backend_called else 'not called'}, {call.sent} bytes sent to the caller"
    for number, attempt in enumerate(call.attempts, 1):
        yield f"attempt {number}: {attempt_text(attempt)}"
    if (tokens := call.tokens) is not None:
        kind = "reported by the model" if tokens.reported else "estimated"
        yield f"tokens: {tokens.prompt} of the prompt + {tokens.completion} of the answer = {tokens.total}, {kind}"
    if call.error is not None:
        yield f"error: {call.error}"
    if call.omitted:
        yield f"{call.omitted} policies, reads, changes and notes were too many to keep"


def ending(span: Span) -> str:
    """Say how a policy ended, empty where the next one simply follows."""
    return ": ".join(part for part in (span.outcome, span.error) if part)


def place(span: Span) -> str:
    """Say where a policy stands."""
    return f"{span.scope} scope, {span.document}, line {span.line}"


def read_text(read: Read) -> str:
    """Write a read."""
    return f"{read.what} = {ABSENT if read.value is None else read.value}"


def change_text(change: Change) -> str:
    """Write a change."""
    after = ABSENT if change.after is None else change.after
    return f"{change.what} = {after}" if change.before is None else f"{change.what}: {change.before} -> {after}"


def attempt_text(attempt: Attempt) -> str:
    """Write an attempt at the backend."""
    who = f"backend {attempt.backend}" if attempt.backend else attempt.url
    through = f" of pool {attempt.pool}" if attempt.pool else ""
    breaker = f"; circuit breaker: {attempt.breaker}" if attempt.breaker else ""
    return f"{who}{through}{_came_of(attempt)}{f' ({attempt.url})' if attempt.backend else ''}{breaker}"


def call_text(call: SubCall) -> str:
    """Write a call of the gateway's own."""
    return f"call for {call.purpose}: {call.method} {call.url}{_came_of(call)}"


def _came_of(call: Attempt | SubCall) -> str:
    came = ": ".join(str(part) for part in (call.status, call.error) if part is not None)
    return f" -> {came}, {call.duration:.1f} ms"


def claim_text(claim: Claim) -> str:
    """Write a row of a token, with a mark where it differs from what is demanded."""
    found = ABSENT if claim.found is None else claim.found
    if claim.demanded is None:
        return f"{claim.name}: {found}"
    return f"{claim.name}: {found} {'=' if claim.ok else '≠'} demanded: {claim.demanded}"


def _span(span: Span) -> Iterator[str]:
    name = span.policy if not span.policy_id else f"{span.policy} id={span.policy_id}"
    yield f"{name}  {span.duration:.2f} ms  ({place(span)})"
    if text := ending(span):
        yield f"    ! {text}"
    yield f"    {span.source}"
    yield from (f"    {note}" for note in span.notes)
    if span.token is not None:
        yield f"    token {'accepted' if span.token.accepted else 'refused'}"
        yield from (f"    {' ' if one.ok else '!'} {claim_text(one)}" for one in span.token.claims)
    yield from (f"    {call_text(call)}" for call in span.calls)
    yield from (f"    read {read_text(read)}" for read in span.reads)
    yield from (f"    {_change(change)}" for change in span.changes)
    for child in span.children:
        yield from (f"    {line}" for line in _span(child))


def _change(change: Change) -> str:
    return f"set  {change_text(change)}"
