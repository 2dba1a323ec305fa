"""Traces as trees of text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from apim_emulator.tracing.model import CallTrace, Change, Read, Span

ABSENT = "(none)"


def as_text(call: CallTrace) -> str:
    """Draw a call as a tree: sections, policies, what each read and changed."""
    lines = [headline(call), *(f"  {detail}" for detail in details(call))]
    groups = [
        (section, [line for span in spans for line in _span(span)])
        for section, spans in groupby(call.spans, key=lambda span: span.section)
    ]
    if call.changes:
        groups.append(("outside any policy", [_change(change) for change in call.changes]))
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
    yield f"at {at} from {call.caller}, request ID {call.id}"
    places = {"API": call.api, "operation": call.operation, "product": call.product, "subscription": call.subscription}
    yield ", ".join(f"{kind} {name}" for kind, name in places.items() if name is not None) or "no API"
    yield f"backend {'called' if call.backend_called else 'not called'}, {call.sent} bytes sent to the caller"
    if call.error is not None:
        yield f"error: {call.error}"
    if call.omitted:
        yield f"{call.omitted} policies, reads and changes were too many to keep"


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


def _span(span: Span) -> Iterator[str]:
    name = span.policy if not span.policy_id else f"{span.policy} id={span.policy_id}"
    yield f"{name}  {span.duration:.2f} ms  ({place(span)})"
    if text := ending(span):
        yield f"    ! {text}"
    yield from (f"    read {read_text(read)}" for read in span.reads)
    yield from (f"    {_change(change)}" for change in span.changes)
    for child in span.children:
        yield from (f"    {line}" for line in _span(child))


def _change(change: Change) -> str:
    return f"set  {change_text(change)}"
