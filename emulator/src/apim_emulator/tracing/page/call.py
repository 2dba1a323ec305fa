"""One call: what caused its status, what is known about it, and each policy with what it did."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lxml.builder import E

from apim_emulator.tracing.cause import Cause, all_spans, cause
from apim_emulator.tracing.filter import EVERYTHING, Filter
from apim_emulator.tracing.model import CallTrace, Change, Read, Span
from apim_emulator.tracing.page.curl import curl
from apim_emulator.tracing.page.parts import TITLE, Child, Element, bar, link, milliseconds, moment, page, status
from apim_emulator.tracing.text import ABSENT, ending, place

_ARROW = "\N{RIGHTWARDS ARROW}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """The numbers of the calls beside one, in the list as it is filtered, and of the newest of all."""

    newest: int
    newer: int | None = None
    older: int | None = None


def call_page(call: CallTrace, wanted: Filter = EVERYTHING, beside: Beside | None = None) -> bytes:
    """Write a call."""
    found = cause(call)
    rows = _Rows(call, found)
    head = E.header(
        _navigation(wanted, beside or Beside(newest=call.number)),
        E.p({"id": "live", "role": "status", "hidden": "hidden"}),
    )
    parts: list[Child] = [E.h1(status(call), " ", E.code(E.b(call.method), " ", call.url))]
    if found is not None:
        parts.append(_cause(found, rows))
    parts.append(_facts(call))
    if call.spans:
        parts.append(E.h2("Policies"))
    for section, spans in groupby(call.spans, key=lambda span: span.section):
        parts.append(E.section(E.h3(section), rows.steps(list(spans))))
    if call.changes:
        parts.append(E.section(E.h3("outside any policy"), _entries(call.changes)))
    if call.omitted:
        parts.append(E.p({"class": "note"}, f"{call.omitted} policies, reads and changes were too many to keep."))
    parts.append(_curl(call))
    return page(
        f"#{call.number} {call.method} {call.status or 'no response'} - {TITLE}",
        head,
        E.main({"class": "call"}, *parts),
        _keys(),
    )


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


def _cause(found: Cause, rows: "_Rows") -> Element:
    headline: list[Child] = [E.strong(found.headline)]
    if found.span is not None:
        headline += [
            f" in {found.span.section}, ",
            E.a(f"{found.span.document}, line {found.span.line}", href=f"#{rows.name(found.span)}"),
        ]
    parts: list[Child] = [E.h2({"id": "why", "class": "unseen"}, "Cause"), E.p(*headline)]
    if found.detail is not None:
        parts.append(E.p(found.detail))
    return E.section({"class": "cause", "aria-labelledby": "why"}, *parts)


def _facts(call: CallTrace) -> Element:
    facts: list[tuple[str, Child | None]] = [
        ("Call", f"#{call.number}"), ("Time", moment(call)), ("Duration", milliseconds(call.duration)),
        ("API", call.api or "none"), ("Operation", call.operation), ("Product", call.product),
        ("Subscription", call.subscription), ("From", call.caller),
        ("Backend", "called" if call.backend_called else "not called"), ("Sent", _bytes(call.sent)),
        ("Request ID", E.code(call.id)),
    ]  # fmt: skip
    return E.dl({"class": "facts"}, *(E.div(E.dt(name), E.dd(value)) for name, value in facts if value is not None))


def _bytes(count: int) -> str:
    return f"{count:,} bytes".replace(",", "\N{NARROW NO-BREAK SPACE}")


class _Rows:
    """The policies of a call."""

    def __init__(self, call: CallTrace, found: Cause | None) -> None:
        self._whole = call.duration
        self._found = None if found is None else found.span
        self._names = {id(span): f"step-{number}" for number, span in enumerate(all_spans(call.spans), 1)}

    def name(self, span: Span) -> str:
        """Return the anchor of a policy."""
        return self._names[id(span)]

    def steps(self, spans: Sequence[Span]) -> Element:
        """List policies in their order."""
        return E.ol({"class": "steps"}, *(E.li(*self._step(span)) for span in spans))

    def _step(self, span: Span) -> Iterator[Element]:
        kinds = ["step", *(["decided"] if span is self._found else [])]
        title = E.h4(E.code(span.policy), E.small(place(span)))
        times = E.p(
            {"class": "when"},
            bar([(span.started, span.duration, "policy")], self._whole),
            E.span(milliseconds(span.duration)),
        )
        yield E.div(
            {"class": " ".join(kinds), "id": self.name(span)},
            E.div({"class": "what"}, title), E.div({"class": "did"}, *_did(span)), times,
        )  # fmt: skip
        if span.children:
            count = sum(1 for _ in all_spans(span.children))
            label = f"{count} {'policy' if count == 1 else 'policies'} inside"
            yield E.details({"open": "open", "class": "inside"}, E.summary(label), self.steps(span.children))


def _did(span: Span) -> Iterator[Element]:
    if text := ending(span):
        yield E.p({"class": "bad" if span.error or span.outcome == "fails" else "end"}, text)
    if span.changes:
        yield _entries(span.changes)
    if span.reads:
        yield E.details({"class": "reads"}, E.summary(f"{len(span.reads)} read"), _entries(span.reads))


def _entries(found: Iterable[Read | Change]) -> Element:
    return E.dl({"class": "entries"}, *(_entry(one) for one in found))


def _entry(one: Read | Change) -> Element:
    value: list[Child] = []
    if isinstance(one, Read):
        value.append(_value(one.value))
    else:
        if one.before is not None:
            value += [E("del", E.code(one.before)), f" {_ARROW} "]
        value.append(_value(one.after))
    return E.div(E.dt(E.code(one.what)), E.dd(*value))


def _value(text: str | None) -> Element:
    return E.em(ABSENT) if text is None else E.code(text)


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
