"""One call: what caused its status, what is known about it, and each policy with what it did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lxml.builder import E

from apim_emulator.tracing.cause import Cause, cause
from apim_emulator.tracing.filter import EVERYTHING, Filter
from apim_emulator.tracing.model import Attempt, CallTrace
from apim_emulator.tracing.page.curl import curl
from apim_emulator.tracing.page.parts import (
    TITLE,
    Child,
    Element,
    bar,
    came_of,
    link,
    milliseconds,
    moment,
    page,
    request_line,
    status,
)
from apim_emulator.tracing.page.steps import Steps
from apim_emulator.tracing.text import OUTSIDE

_OUTSIDE = "outside"


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """The numbers of the calls beside one, in the list as it is filtered, and of the newest of all."""

    newest: int
    newer: int | None = None
    older: int | None = None


def call_page(call: CallTrace, wanted: Filter = EVERYTHING, beside: Beside | None = None) -> bytes:
    """Write a call."""
    head = E.header(
        _navigation(wanted, beside or Beside(newest=call.number)),
        E.p({"id": "live", "role": "status", "hidden": "hidden"}),
    )
    title = f"#{call.number} {call.method} {call.status or 'no response'} - {TITLE}"
    return page(title, head, E.main({"class": "call"}, *_parts(call)), _keys())


def _parts(call: CallTrace) -> Iterator[Element]:
    found = cause(call)
    steps = Steps(call, None if found is None else found.span)
    yield E.h1(status(call), " ", request_line(call))
    if found is not None:
        yield _cause(found, steps)
    yield _facts(call)
    if call.attempts:
        yield E.section(E.h2("Backend"), _attempts(call))
    outside = steps.outside()
    if call.spans or outside is not None:
        yield E.h2("Policies")
    for section, spans in groupby(call.spans, key=lambda span: span.section):
        yield E.section(E.h3(section), steps.rows(list(spans)))
    if outside is not None:
        yield E.section({"id": _OUTSIDE}, E.h3(OUTSIDE), outside)
    if call.omitted:
        yield E.p({"class": "note"}, f"{call.omitted} policies, reads, changes and notes were too many to keep.")
    yield _curl(call)


def missing() -> bytes:
    """Write the page of a call that is no longer kept."""
    return page(TITLE, E.main(E.h1("This call is not kept any more"), E.p(E.a("All calls", href="./"))))


def _keys() -> Element:
    return E.footer(
        E.p(
            {"class": "keys", "hidden": "hidden"},
            E.kbd("k"),
            " newer  ",
            E.kbd("j"),
            " older  ",
            E.kbd("u"),
            " all calls  ",
            E.kbd("/"),
            " filter",
        )
    )


def _navigation(wanted: Filter, beside: Beside) -> Element:
    """Link to the list and to the calls beside this one, in the order of the list."""
    links = [E.a({"class": "up", "rel": "up"}, TITLE, href=link("./", wanted))]
    if wanted.text:
        links.append(E.span({"class": "wanted"}, wanted.text))
    for name, rel, number in (("Newer", "prev", beside.newer), ("Older", "next", beside.older)):
        if number is None:
            links.append(E.span({"class": rel, "aria-hidden": "true"}, name))
        else:
            links.append(E.a({"class": rel, "rel": rel}, f"{name} #{number}", href=link(str(number), wanted)))
    return E.nav({"id": "beside", "aria-label": "Calls", "data-newest": str(beside.newest)}, *links)


def _cause(found: Cause, steps: Steps) -> Element:
    headline: list[Child] = [E.strong(found.headline)]
    if found.span is not None:
        place = f"{found.span.document}, line {found.span.line}"
        headline += [f" in {found.span.section}: ", E.a(place, href=f"#{steps.name(found.span)}")]
    elif steps.outside() is not None:
        headline += [": ", E.a("what was done", href=f"#{_OUTSIDE}")]
    parts: list[Child] = [E.h2({"id": "why", "class": "unseen"}, "Cause"), E.p(*headline)]
    if found.detail is not None:
        parts.append(E.p(found.detail))
    parts += [E.p(note) for note in found.notes]
    for claim in found.differing:
        has = [" is missing"] if claim.found is None else [" is ", E.mark(E.code(claim.found))]
        parts.append(
            E.p({"class": "differs"}, E.code(claim.name), *has, ", demanded is ", E.code(claim.demanded or ""))
        )
    return E.section({"class": "cause", "aria-labelledby": "why"}, *parts)


def _facts(call: CallTrace) -> Element:
    facts: list[tuple[str, Child | None]] = [
        ("Call", f"#{call.number}"), ("Time", moment(call)), ("Duration", milliseconds(call.duration)),
        ("Service", call.service or None), ("API", call.api or "none"), ("Operation", call.operation),
        ("Product", call.product), ("Deployment", call.deployment), ("Caller", call.identity), ("From", call.caller),
        ("Tokens", _tokens(call)), ("Backend", None if call.backend_called else "not called"),
        ("Sent", f"{call.sent:,} bytes" if call.sent else None), ("Request ID", E.code(call.id)),
    ]  # fmt: skip
    return E.dl({"class": "facts"}, *(E.div(E.dt(name), E.dd(value)) for name, value in facts if value is not None))


def _tokens(call: CallTrace) -> str | None:
    if call.tokens is None:
        return None
    one = call.tokens
    return f"{one.prompt} + {one.completion} = {one.total}, {'reported' if one.reported else 'estimated'}"


def _attempts(call: CallTrace) -> Element:
    names = ["#", "Backend", "Outcome", "Circuit breaker", "When"]
    rows = (_attempt(call, number, one) for number, one in enumerate(call.attempts, 1))
    return E.table(
        {"class": "attempts"},
        E.caption({"class": "unseen"}, "Attempts at the backend, in their order"),
        E.thead(E.tr(*(E.th(name, scope="col") for name in names))), E.tbody(*rows),
    )  # fmt: skip


def _attempt(call: CallTrace, number: int, one: Attempt) -> Element:
    who: list[Child] = [E.b(one.backend or "by its URL"), f" of pool {one.pool}" if one.pool else ""]
    who.append(E.small(E.code(one.url)))
    when = [E.span(milliseconds(one.duration)), bar([(one.started, one.duration, "attempt")], call.duration)]
    cells: list[Sequence[Child]] = [[str(number)], who, [came_of(one)], [one.breaker or "none"], when]
    return E.tr(*(E.td(*cell) for cell in cells))


def _curl(call: CallTrace) -> Element:
    command = curl(call)
    parts: list[Child] = [E.h2({"id": "again"}, "Send it again")]
    if command is None:
        parts.append(E.p("Too little of this call was kept to send it again."))
        return E.section({"aria-labelledby": "again"}, *parts)
    needed = [*(f"${name}" for name in command.variables), *([command.file] if command.file else [])]
    if needed:
        parts.append(
            E.p({"class": "note"}, "Set first, as secrets and bodies are not kept: ", E.code(", ".join(needed)))
        )
    parts.append(E.pre(E.code({"id": "curl"}, command.text)))
    parts.append(
        E.p(
            E.button({"id": "copy", "type": "button", "hidden": "hidden"}, "Copy as curl"),
            E.span({"id": "copied", "role": "status"}),
        )
    )
    return E.section({"class": "again", "aria-labelledby": "again"}, *parts)
