"""Traces as web pages. They are made as trees of elements, so that no text can become markup."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from lxml import etree
from lxml.builder import E

from apim_emulator.tracing.model import CallTrace, Change, Read, Span
from apim_emulator.tracing.text import ABSENT, details, ending, headline, place

STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --bad: #c62828; --good: #2e7d32 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #a5d6a7 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem 1.5rem 4rem }
h1 { font-size: 1.2rem; overflow-wrap: anywhere } h2 { font-size: 1rem; margin: 1.5rem 0 .25rem }
a { color: inherit } code, td, dd, summary { overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th { font-weight: 600; text-align: left } th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem }
td.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
ul { list-style: none; margin: 0; padding: 0 } ul ul { border-left: 1px solid var(--line); margin-left: .45rem }
li { padding-left: .8rem } summary { cursor: pointer; padding: .15rem 0 }
summary small, .details { color: GrayText } dl { background: var(--soft); margin: .2rem 0 .5rem 1.2rem; padding: .4rem }
dl div { display: grid; gap: 0 .6rem; grid-template-columns: 3rem minmax(8rem, 22rem) 1fr } dd { margin: 0 }
@media (max-width: 45rem) {
  body { padding: .5rem } th, td { padding: .3rem }
  dl div { grid-template-columns: 2rem 1fr } dd + dd { grid-column: 2 }
  table :is(th, td):nth-child(2), table :is(th, td):nth-child(4) { display: none }
}
code { font: 13px/1.5 ui-monospace, monospace } .bad { color: var(--bad) } .good { color: var(--good) }
"""
TITLE = "Traces"


def index(calls: Sequence[CallTrace]) -> bytes:
    """Write the list of calls, the newest first."""
    if not calls:
        return _page(TITLE, E.h1(TITLE), E.p("No calls yet: call the gateway and load this page again."))
    head = E.tr(*(E.th(name, scope="col") for name in ("#", "time", "call", "API", "status", "ms", "error")))
    table = E.table(E.thead(head), E.tbody(*map(_row, reversed(calls))))
    return _page(
        TITLE, E.h1(TITLE), E.p({"class": "details"}, f"The last {len(calls)} calls; load again for more."), table
    )


def call_page(call: CallTrace) -> bytes:
    """Write the tree of a call."""
    parts = [E.p(E.a("All calls", href="./")), E.h1(headline(call))]
    parts.append(E.p({"class": "details"}, *(piece for line in details(call) for piece in (line, E.br()))))
    for section, spans in groupby(call.spans, key=lambda span: span.section):
        parts += [E.h2(section), E.ul(*(E.li(_span(span)) for span in spans))]
    if call.changes:
        parts += [E.h2("outside any policy"), _entries((), call.changes)]
    return _page(f"#{call.number} - {TITLE}", *parts)


def missing() -> bytes:
    """Write the page of a call that is no longer kept."""
    return _page(TITLE, E.h1("This call is not kept any more"), E.p(E.a("All calls", href="./")))


def _page(title: str, *parts: etree._Element) -> bytes:
    head = E.head(
        E.meta(charset="utf-8"),
        E.meta(name="viewport", content="width=device-width, initial-scale=1"),
        E.title(title),
        E.link(rel="stylesheet", href="style.css"),
    )
    page = E.html({"lang": "en"}, head, E.body(E.main(*parts)))
    return etree.tostring(page, method="html", encoding="utf-8", doctype="<!DOCTYPE html>")


def _row(call: CallTrace) -> etree._Element:
    time = datetime.fromtimestamp(call.time, UTC).strftime("%H:%M:%S")
    status = "-" if call.status is None else str(call.status)
    verdict = "good" if call.status is not None and call.status < 400 else "bad"
    return E.tr(
        E.td({"class": "number"}, E.a(str(call.number), href=str(call.number))),
        E.td({"class": "number"}, time),
        E.td(E.a(E.code(f"{call.method} {call.url}"), href=str(call.number))),
        E.td(" / ".join(part for part in (call.api, call.operation) if part)),
        E.td({"class": f"number {verdict}"}, status),
        E.td({"class": "number"}, f"{call.duration:.1f}"),
        E.td(call.error or ""),
    )


def _span(span: Span) -> etree._Element:
    title = E.summary(
        E.code(span.policy), f" {span.duration:.2f} ms ", E.small(f"{place(span)}{_id(span)}"),
    )  # fmt: skip
    if text := ending(span):
        title.append(E.strong({"class": "bad" if span.error or span.outcome == "fails" else "good"}, f" {text}"))
    parts = [title]
    if span.reads or span.changes:
        parts.append(_entries(span.reads, span.changes))
    if span.children:
        parts.append(E.ul(*(E.li(_span(child)) for child in span.children)))
    return E.details({"open": "open"}, *parts)


def _id(span: Span) -> str:
    return f", id {span.policy_id}" if span.policy_id else ""


def _entries(reads: Iterable[Read], changes: Iterable[Change]) -> etree._Element:
    lines: list[tuple[str, str, str | None, str | None]] = []
    lines += [("read", read.what, None, read.value) for read in reads]
    lines += [("set", change.what, change.before, change.after) for change in changes]
    return E.dl(*(_entry(*line) for line in lines))


def _entry(kind: str, what: str, before: str | None, value: str | None) -> etree._Element:
    shown = [E.code(ABSENT if value is None else value)]
    if before is not None:
        shown = [E.code(before), E.span(" \N{RIGHTWARDS ARROW} "), *shown]
    return E.div(E.dt(kind), E.dd(E.code(what)), E.dd(*shown))
