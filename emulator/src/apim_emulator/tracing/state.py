"""What policies may change about a call, as it is at one moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict, getversion

from apim_emulator.gateway.backends.targets import Endpoint, Target
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.tracing.mask import Mask
from apim_emulator.tracing.model import Change

_Key = tuple[str, str]
"""What kind of thing it is, and its own name where there are several."""

_QUERY: _Key = ("Request.Url.Query", "")
_PATH: _Key = ("Request.Url.Path", "")


@dataclass(frozen=True, slots=True)
class _Part:
    """Things of one kind. A part that is the same object as before is as it was before."""

    values: Mapping[str, object]
    source: object = None
    """What they were taken from."""
    version: int = 0
    """Which state of it."""


@dataclass(frozen=True, slots=True)
class State:
    """A call at one moment, by the kinds of things."""

    parts: Mapping[str, _Part] = field(default_factory=dict)

    def new_texts(self, before: "State") -> Iterator[tuple[str, str]]:
        """List names and values of the texts that were not there before."""
        for kind, part in self.parts.items():
            old = before.parts.get(kind, _NOTHING)
            if part is not old:
                for name, value in part.values.items():
                    if isinstance(value, str) and value is not old.values.get(name):
                        yield name, value


_NOTHING = _Part({})


def state_of(exchange: Exchange, before: State) -> State:
    """Take down a call as it is. What did not change since the moment `before` is not read again."""
    context = exchange.context
    request, response = context.request, context.response
    found = {
        "Request.Method": _Part({"": request.method}),
        _PATH[0]: _Part({"": request.path}),
        _QUERY[0]: _Part({"": str(request.query)}),
        "Request.Body": _Part({"": _body(exchange.body)}),
        "Backend": _Part({"": None if exchange.target is None else _name(exchange.target)}),
        "Backend.Certificate": _Part({"": None if exchange.certificate is None else exchange.certificate.thumbprint}),
        "Variables": _Part(dict(dict.items(context.variables))),
        "Request.Headers": _headers(request.headers, before.parts.get("Request.Headers")),
        "Metric": _list(exchange.metrics, before.parts.get("Metric")),
        "Trace": _list(exchange.traces, before.parts.get("Trace")),
        "Event": _list(exchange.events, before.parts.get("Event")),
        "Trace.Message": _list(context.traced, before.parts.get("Trace.Message")),
    }
    if response is not None:
        found["Response.StatusCode"] = _Part({"": response.status})
        found["Response.StatusReason"] = _Part({"": response.reason})
        found["Response.Body"] = _Part({"": "a stream" if response.stream is not None else _body(response.body)})
        found["Response.Headers"] = _headers(response.headers, before.parts.get("Response.Headers"))
    if exchange.response_headers:
        known = found.get("Response.Headers", _NOTHING)
        found["Response.Headers"] = _Part({**known.values, **exchange.response_headers})
    return State(found)


def changes(before: State, after: State, mask: Mask) -> Iterator[Change]:
    """Compare two moments."""
    for kind in before.parts.keys() | after.parts.keys():
        old, new = before.parts.get(kind, _NOTHING), after.parts.get(kind, _NOTHING)
        if old is new:
            continue
        for name in old.values.keys() | new.values.keys():
            was, now = old.values.get(name), new.values.get(name)
            if was is not now and was != now:
                yield _change((kind, name), was, now, mask)


def _change(key: _Key, old: object, new: object, mask: Mask) -> Change:
    kind, name = key
    if kind == "Metric":
        return Change(f"Metric[{mask.text(getattr(new, 'name', ''))}]", None, f"{getattr(new, 'value', 0):g}")
    if kind == "Trace":
        return Change(f"Trace[{mask.text(getattr(new, 'source', ''))}]", None, mask.text(getattr(new, "message", "")))
    if kind == "Event":
        return Change(
            f"Event[{mask.text(getattr(new, 'logger_id', ''))}]", None, mask.text(getattr(new, "message", ""))
        )
    if kind == "Trace.Message":
        return Change("Trace", None, mask.named("", new))
    shown = [_shown(key, value, mask) for value in (old, new)]
    return Change(f"{kind}[{mask.text(name)}]" if name else kind, shown[0], shown[1])


def _shown(key: _Key, value: object, mask: Mask) -> str | None:
    if value is None:
        return None
    if key in {_PATH, _QUERY}:
        return mask.url(f"?{value}")[1:] if key == _QUERY else mask.url(str(value))
    if isinstance(value, tuple):
        return f"{value[0]} bytes"
    return mask.named(key[1], value)


def _body(body: bytes | None) -> tuple[int, int] | None:
    """Tell bodies apart without keeping them."""
    return None if body is None else (len(body), hash(body))


def _headers(headers: CIMultiDict[Any], known: _Part | None) -> _Part:
    version = getversion(headers)
    if known is not None and known.source is headers and known.version == version:
        return known
    values: dict[str, list[str]] = {}
    for name, value in headers.items():
        values.setdefault(name, []).append(value)
    return _Part({name: ",".join(several) for name, several in values.items()}, headers, version)


def _list(items: Sequence[object], known: _Part | None) -> _Part:
    """Take the items of a list that only grows."""
    if known is not None and len(known.values) == len(items):
        return known
    return _Part({f"{number}": item for number, item in enumerate(items)})


def _name(target: Target) -> str:
    if isinstance(target, Endpoint):
        return target.id or f"{target.origin}{target.path}"
    return target.name
