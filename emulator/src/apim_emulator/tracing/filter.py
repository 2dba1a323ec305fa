"""Which calls a person wants to see: words, and fields such as `status:4xx`, all of which have to fit."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from apim_emulator.tracing.model import CallTrace, Span

_TERM = re.compile(r'(?P<no>-?)(?:(?P<field>[A-Za-z]+):)?(?P<value>"[^"]*"?|\S*)')
_COMPARED = re.compile(r"(?P<sign>[<>]=?)(?P<number>\d{1,9}(?:\.\d{1,3})?)")
_CLASS = re.compile(r"[1-5]xx", re.IGNORECASE)


@dataclass(frozen=True)
class Filter:
    """A text as a person types it; empty: all calls."""

    text: str = ""

    def takes(self, call: CallTrace) -> bool:
        """Tell whether a call fits."""
        return all(_fits(call, match) for match in _TERM.finditer(self.text))


EVERYTHING = Filter()


def fields() -> list[str]:
    """List the fields that there are."""
    return [*_NUMBERS, *_FIELDS]


def _fits(call: CallTrace, match: re.Match[str]) -> bool:
    field, value = (match["field"] or "").lower(), match["value"].strip('"').lower()
    if not value:  # a term that is not typed to its end
        return True
    if field in _NUMBERS:
        found = _number_fits(_NUMBERS[field](call), value)
    elif field in _FIELDS:
        found = any(value in text.lower() for text in _FIELDS[field](call) if text)
    else:  # a colon may be part of what is looked for
        word = f"{field}:{value}" if field else value
        found = word in str(call.status) or any(word in text.lower() for text in _words(call) if text)
    return found is not bool(match["no"])


def _words(call: CallTrace) -> Iterator[str | None]:
    for name, texts in _FIELDS.items():
        if name != "policy":
            yield from texts(call)


def _number_fits(number: float | None, wanted: str) -> bool:
    if number is None:
        return wanted == "none"
    compared = _COMPARED.fullmatch(wanted)
    if compared is not None:
        limit = float(compared["number"])
        return {">": number > limit, ">=": number >= limit, "<": number < limit, "<=": number <= limit}[
            compared["sign"]
        ]
    if _CLASS.fullmatch(wanted):
        return int(number // 100) == int(wanted[0])
    return f"{number:g}" == wanted


def _policies(call: CallTrace) -> Iterator[str]:
    left: list[Span] = list(call.spans)
    while left:
        span = left.pop()
        yield span.policy
        left += span.children


_NUMBERS: Mapping[str, Callable[[CallTrace], float | None]] = {
    "status": lambda call: call.status,
    "ms": lambda call: call.duration,
}
_FIELDS: Mapping[str, Callable[[CallTrace], Iterator[str | None]]] = {
    "method": lambda call: iter([call.method]),
    "url": lambda call: iter([call.url]),
    "api": lambda call: iter([call.api]),
    "operation": lambda call: iter([call.operation]),
    "product": lambda call: iter([call.product]),
    "subscription": lambda call: iter([call.subscription]),
    "deployment": lambda call: iter([call.deployment]),
    "service": lambda call: iter([call.service]),
    "caller": lambda call: iter([call.identity, call.caller]),
    "backend": lambda call: (name for one in call.attempts for name in (one.backend, one.pool)),
    "error": lambda call: iter([call.error]),
    "id": lambda call: iter([call.id]),
    "policy": _policies,
}
"""What words without a field are looked for in too, but for the names of policies: every call has many."""
