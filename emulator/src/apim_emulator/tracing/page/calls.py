"""The list of calls, the newest first."""

from collections.abc import Callable, Mapping, Sequence

from lxml.builder import E

from apim_emulator.tracing.filter import EVERYTHING, Filter
from apim_emulator.tracing.model import CallTrace
from apim_emulator.tracing.page.parts import (
    TITLE,
    Child,
    Element,
    bar,
    link,
    milliseconds,
    moment,
    page,
    request_line,
    status,
    verdict,
)

_HELP = (
    "Words, or fields such as status:4xx, api:chat, caller:team-a, ms:>100 and policy:retry, all of which have to fit. "
    "A minus before one excludes what fits it."
)


def index(calls: Sequence[CallTrace], wanted: Filter = EVERYTHING) -> bytes:
    """Write the list of those calls that are wanted."""
    newest = max((call.number for call in calls), default=0)
    head = E.header(
        E.h1(TITLE), E.p({"id": "live", "role": "status", "hidden": "hidden"}), _form(wanted)
    )  # fmt: skip
    content = E.div(
        {"id": "content", "data-newest": str(newest)}, _quick(calls, wanted), _table(calls, wanted)
    )  # fmt: skip
    keys = E.p(
        {"class": "keys", "hidden": "hidden"},
        E.kbd("j"), " ", E.kbd("k"), " move  ", E.kbd("Enter"), " open  ", E.kbd("/"), " filter",
    )  # fmt: skip
    return page(TITLE, head, E.main({"class": "calls"}, content), E.footer(keys))


def _form(wanted: Filter) -> Element:
    box = E.input(
        {"aria-describedby": "q-help"},
        id="q", type="search", name="q", value=wanted.text, placeholder="status:4xx api:chat \N{HORIZONTAL ELLIPSIS}",
        title=_HELP, autocomplete="off", spellcheck="false",
    )  # fmt: skip
    return E.form(
        {"role": "search", "method": "get", "action": "./"},
        E.label({"for": "q"}, "Filter"), box, E.button("Apply", type="submit"),
        E.p({"id": "q-help", "class": "unseen"}, _HELP),
    )  # fmt: skip


def _quick(calls: Sequence[CallTrace], wanted: Filter) -> Element:
    """Link to the filters that part these calls."""
    choices = [("all", ""), *((f"{digit}xx", f"status:{digit}xx") for digit in range(1, 6))]
    services = sorted({call.service for call in calls})
    choices += [(name, f'service:"{name}"') for name in services if len(services) > 1]
    links: list[Child] = []
    for name, text in choices:
        count = sum(map(Filter(text).takes, calls))
        if count or text == wanted.text:
            current = {"aria-current": "true"} if text == wanted.text else {}
            links.append(E.li(E.a({"href": link("./", Filter(text)), **current}, name, " ", E.small(str(count)))))
    return E.nav({"class": "quick", "aria-label": "Filters"}, E.ul(*links))


def _table(calls: Sequence[CallTrace], wanted: Filter) -> Element:
    shown = [call for call in reversed(calls) if wanted.takes(call)]
    if not calls:
        return E.p({"class": "empty"}, "No calls yet: call the gateway, and they appear here.")
    if not shown:
        return E.p(
            {"class": "empty"}, f"None of the last {len(calls)} calls fits this filter. ", E.a("Show all", href="./")
        )
    columns = [(name, kind) for name, kind in _COLUMNS if kind not in _SOMETIMES or _SOMETIMES[kind](calls)]
    slowest = max(call.duration for call in shown)
    return E.table(
        E.caption({"class": "unseen"}, "Calls, the newest first"),
        E.thead(E.tr(*(E.th({"class": kind}, name, scope="col") for name, kind in columns))),
        E.tbody(*(_row(call, wanted, slowest, [kind for _, kind in columns]) for call in shown)),
    )


_COLUMNS = (
    ("#", "number"), ("Time", "time"), ("Status", "verdict"), ("Call", "call"), ("Service", "service"), ("API", "api"),
    ("Deployment", "deployment"), ("Caller", "caller"), ("Duration", "duration"),
)  # fmt: skip
_SOMETIMES: Mapping[str, Callable[[Sequence[CallTrace]], bool]] = {
    "service": lambda calls: len({call.service for call in calls}) > 1,
    "deployment": lambda calls: any(call.deployment for call in calls),
}
"""When a column is of use that is not always there."""


def _caller(call: CallTrace) -> list[Child]:
    kind, blank, name = call.identity.partition(" ")
    return [E.span(name, title=name), E.small(kind)] if blank else [kind]


def _row(call: CallTrace, wanted: Filter, slowest: float, kinds: Sequence[str]) -> Element:
    address = link(str(call.number), wanted)
    failure = [E.small({"class": "error"}, call.error)] if call.error else []
    cells: dict[str, Sequence[Child]] = {
        "number": [str(call.number)],
        "time": [moment(call)],
        "verdict": [status(call)],
        "call": [E.a({"href": address}, request_line(call)), *failure],
        "api": [E.span(call.api or "none"), *([E.small(call.operation)] if call.operation else [])],
        "service": [call.service],
        "deployment": [call.deployment or ""],
        "caller": _caller(call),
        "duration": [E.span(milliseconds(call.duration)), bar([(0, call.duration, verdict(call))], slowest)],
    }
    return E.tr({"id": f"call-{call.number}"}, *(E.td({"class": kind}, *cells[kind]) for kind in kinds))
