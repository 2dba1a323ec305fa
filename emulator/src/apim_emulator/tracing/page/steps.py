"""The policies of a call: a row each, with its line of the document, what it did or why nothing, and when."""

from collections.abc import Iterable, Iterator, Sequence

from lxml.builder import E

from apim_emulator.tracing.cause import all_spans
from apim_emulator.tracing.model import CallTrace, Change, Claim, Read, Span, SubCall, TokenCheck
from apim_emulator.tracing.page.parts import Child, Element, bar, came_of, milliseconds
from apim_emulator.tracing.text import ABSENT, ending

_ARROW = "\N{RIGHTWARDS ARROW}"


class Steps:
    """The rows, each with a name to which links lead."""

    def __init__(self, call: CallTrace, decided: Span | None) -> None:
        """Mark the policy that decided how the call ended."""
        self._call = call
        self._decided = decided
        self._names = {id(span): f"step-{number}" for number, span in enumerate(all_spans(call.spans), 1)}

    def name(self, span: Span) -> str:
        """Return the anchor of a policy."""
        return self._names[id(span)]

    def rows(self, spans: Sequence[Span]) -> Element:
        """List policies in their order."""
        return E.ol({"class": "steps"}, *(E.li(*self._row(span)) for span in spans))

    def outside(self) -> Element | None:
        """Tell what was done outside any policy, None where nothing was."""
        call = self._call
        done = [*_notes(call.notes), *self._calls(call.calls), *_changes(call.changes)]
        return E.div({"class": "did"}, *done) if done else None

    def _row(self, span: Span) -> Iterator[Element]:
        kinds = ["step", *(["decided"] if span is self._decided else [])]
        name = [E.code(span.policy), *([E.small(f"id {span.policy_id}")] if span.policy_id else [])]
        what = E.div(
            {"class": "what"},
            E.h4(*name, E.small({"title": f"{span.scope} scope"}, f"{span.document}, line {span.line}")),
            E.code({"class": "source"}, span.source),
        )
        when = E.div(
            {"class": "when"}, self._bar(span.started, span.duration, "policy"), E.span(milliseconds(span.duration))
        )
        did = E.div({"class": "did"}, *self._did(span))
        yield E.div({"class": " ".join(kinds), "id": self.name(span)}, what, did, when)
        if span.children:
            count = sum(1 for _ in all_spans(span.children))
            label = f"{count} {'policy' if count == 1 else 'policies'} inside {span.policy}"
            yield E.details({"open": "open", "class": "inside"}, E.summary(label), self.rows(span.children))

    def _did(self, span: Span) -> Iterator[Element]:
        if text := ending(span):
            yield E.p({"class": "bad" if span.error or span.outcome == "fails" else "end"}, text)
        if span.token is not None:
            yield _token(span.token)
        yield from _notes(span.notes)
        yield from self._calls(span.calls)
        yield from _changes(span.changes)
        if span.reads:
            yield E.details({"class": "reads"}, E.summary(f"{len(span.reads)} read"), _entries(span.reads))

    def _calls(self, calls: Sequence[SubCall]) -> Iterator[Element]:
        if calls:
            yield E.ul({"class": "calls-made"}, *(E.li(*self._made(call)) for call in calls))

    def _made(self, call: SubCall) -> Iterator[Element]:
        yield E.span(f"{call.purpose}: ", E.code(f"{call.method} {call.url}"), f" {_ARROW} ", came_of(call))
        yield self._bar(call.started, call.duration, "sub-call")
        yield E.small(milliseconds(call.duration))

    def _bar(self, started: float, duration: float, kind: str) -> Element:
        return bar([(started, duration, kind)], self._call.duration)


def _notes(notes: Sequence[str]) -> Iterator[Element]:
    if notes:
        yield E.ul({"class": "notes"}, *(E.li(note) for note in notes))


def _token(token: TokenCheck) -> Element:
    """Put what a token says beside what is demanded, the difference marked by a sign and a colour.

    The table is folded where the token was accepted.
    """
    fits = E.th(E.span({"class": "unseen"}, "Fits"), scope="col")
    table = E.table(
        {"class": "token"},
        E.caption({"class": "unseen"}, "What the token says beside what the policy demands"),
        E.thead(E.tr(fits, *(E.th(name, scope="col") for name in ("Claim", "Token says", "Demanded")))),
        E.tbody(*map(_claim, token.claims)),
    )
    opened = {} if token.accepted else {"open": "open"}
    return E.details({"class": "reads", **opened}, E.summary(f"token {_judged(token)}"), table)


def _judged(token: TokenCheck) -> str:
    if token.accepted:
        return "accepted"
    return f"refused: {', '.join(claim.name for claim in token.claims if not claim.ok) or 'it cannot be used'}"


def _claim(claim: Claim) -> Element:
    sign, meaning = ("\N{CHECK MARK}", "fits") if claim.ok else ("\N{MULTIPLICATION X}", "differs")
    if claim.demanded is None:
        sign, meaning = "", "not demanded"
    found: Child = _value(claim.found)
    return E.tr(
        {"class": "same" if claim.ok else "differs"},
        E.td(E.span({"aria-hidden": "true"}, sign), E.span({"class": "unseen"}, meaning)),
        E.th({"scope": "row"}, E.code(claim.name)),
        E.td(found if claim.ok else E.mark(found)),
        E.td(E.code(claim.demanded) if claim.demanded is not None else ""),
    )


def _changes(changes: Sequence[Change]) -> Iterator[Element]:
    if changes:
        yield _entries(changes)


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
