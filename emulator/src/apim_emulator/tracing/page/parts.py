"""What all pages have in common."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from lxml import etree
from lxml.builder import E

from apim_emulator.tracing.filter import Filter
from apim_emulator.tracing.model import Attempt, CallTrace, SubCall

TITLE = "Traces"
Element = etree._Element
Child = Element | str

_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that let a text look like another one (Unicode Standard Annex 9)."""


def page(title: str, *parts: Child) -> bytes:
    """Write a page."""
    head = E.head(
        E.meta(charset="utf-8"),
        E.meta(name="viewport", content="width=device-width, initial-scale=1"),
        E.meta(name="color-scheme", content="light dark"),
        E.title(title),
        E.link(rel="stylesheet", href="style.css"),
        E.script(src="page.js", defer="defer"),
    )
    whole = E.html({"lang": "en"}, head, E.body(*parts))
    for element in whole.iter():
        element.text, element.tail = _visible(element.text), _visible(element.tail)
        for name, value in element.items():
            element.set(name, _visible(value))
    return etree.tostring(whole, method="html", encoding="utf-8", doctype="<!DOCTYPE html>")


def _visible(text: str | None) -> str:
    """Show marks that have no width by their numbers."""
    return _DIRECTIONS.sub(lambda mark: f"[U+{ord(mark[0]):04X}]", text or "")


def bar(spans: Iterable[tuple[float, float, str]], whole: float) -> Element:
    """Draw times as shares of a whole: where each begins, how long it is, and its kind.

    It is a picture and not a style: the pages allow no styles but those of their file.
    """
    marks = []
    for start, length, kind in spans:
        left = min(100 * start / whole, 99.5) if whole > 0 else 0.0
        width = min(100 * length / whole, 100 - left) if whole > 0 else 0.0
        marks.append(E.rect({"class": kind}, x=f"{left:.2f}%", width=f"{max(width, 0.5):.2f}%", height="100%"))
    return E.svg({"class": "bar", "aria-hidden": "true"}, *marks)


def milliseconds(value: float) -> str:
    """Write a duration with as many digits as are of use."""
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def moment(call: CallTrace) -> Element:
    """Write when a call arrived, as the clock on the wall says."""
    at = datetime.fromtimestamp(call.time, UTC)
    return E.time(
        f"{at.astimezone():%H:%M:%S}",
        datetime=at.isoformat(timespec="milliseconds"),
        title=f"{at:%Y-%m-%d %H:%M:%S} UTC",
    )


def request_line(call: CallTrace) -> Element:
    """Write what was called."""
    path, mark, query = call.url.partition("?")
    return E.code(E.b(call.method), " ", path, *([E.span({"class": "query"}, mark + query)] if mark else []))


def status(call: CallTrace) -> Element:
    """Write how a call ended; its colour says it too."""
    return E.span({"class": f"status {verdict(call)}"}, "none" if call.status is None else str(call.status))


def came_of(call: Attempt | SubCall) -> Element:
    """Write how a call of the gateway's ended."""
    text = " ".join(str(part) for part in (call.status, call.error) if part is not None)
    good = call.error is None and call.status is not None and call.status < 400
    return E.span({"class": f"status {'good' if good else 'bad'}"}, text or "no response")


def verdict(call: CallTrace) -> Literal["good", "bad", "worse"]:
    """Judge how a call ended: refused is bad, failed is worse."""
    if call.status is not None and call.status < 400:
        return "good"
    return "bad" if call.status is not None and call.status < 500 else "worse"


def link(place: str, wanted: Filter) -> str:
    """Address a page so that the filter stays."""
    return f"{place}?{urlencode({'q': wanted.text})}" if wanted.text else place
