"""Why a call did not end well: in one sentence, with the policy that decided it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apim_emulator.gateway.http.headers import phrase
from apim_emulator.tracing.model import CallTrace, Claim, Span


@dataclass(frozen=True, slots=True)
class Cause:
    """What decided the status of a call."""

    headline: str
    """The status, and who decided it."""
    detail: str | None
    """What was wrong, in words."""
    span: Span | None
    """The policy; None where it happened outside any policy."""
    differing: tuple[Claim, ...] = ()
    """What the caller's token says that is not what the policy demands."""
    notes: tuple[str, ...] = ()
    """What was done outside any policy, where it happened there."""


def cause(call: CallTrace) -> Cause | None:
    """Find what refused or failed a call; None where nothing did."""
    if call.status is None:
        return Cause("No response", "The caller went away before there was one.", None)
    if call.status < 400:
        return None
    name = f"{call.status} {phrase(call.status)}"
    spans = list(all_spans(call.spans))
    failed = next((span for span in spans if span.error is not None), None)
    if failed is not None:
        claims = () if failed.token is None else failed.token.claims
        return Cause(f"{name} by {failed.policy}", failed.error, failed, tuple(one for one in claims if not one.ok))
    if call.error is not None:
        return Cause(f"{name} outside any policy", call.error, None, notes=call.notes)
    decided = next((span for span in reversed(spans) if span.outcome or _sets_status(span)), None)
    if decided is None:
        return Cause(name, None, None)
    by = "the backend" if decided.policy == "forward-request" else decided.policy
    return Cause(f"{name} by {by}", None, decided)


def all_spans(spans: Sequence[Span]) -> Iterator[Span]:
    """List policies in the order in which they began, each before those inside it."""
    for span in spans:
        yield span
        yield from all_spans(span.children)


def _sets_status(span: Span) -> bool:
    return any(change.what == "Response.StatusCode" for change in span.changes)
