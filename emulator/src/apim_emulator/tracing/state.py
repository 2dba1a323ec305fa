"""What policies may change about a call, as it is at one moment."""

from collections.abc import Iterator

from multidict import CIMultiDict

from apim_emulator.gateway.backends.targets import Endpoint, Target
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.tracing.mask import Mask
from apim_emulator.tracing.model import Change

_Key = tuple[str, str]
"""What kind of thing it is, and its own name where there are several."""
State = dict[_Key, object]

_QUERY: _Key = ("Request.Url.Query", "")
_PATH: _Key = ("Request.Url.Path", "")


def state_of(exchange: Exchange) -> State:
    """Take down a call as it is."""
    context = exchange.context
    request, response = context.request, context.response
    found: State = {
        ("Request.Method", ""): request.method,
        _PATH: request.path,
        _QUERY: str(request.query),
        ("Request.Body", ""): _body(exchange.body),
        ("Backend", ""): None if exchange.target is None else _name(exchange.target),
    }
    found.update({("Variables", name): value for name, value in dict.items(context.variables)})
    _headers(found, "Request.Headers", request.headers)
    if response is not None:
        found["Response.StatusCode", ""] = response.status
        found["Response.StatusReason", ""] = response.reason
        found["Response.Body", ""] = "a stream" if response.stream is not None else _body(response.body)
        _headers(found, "Response.Headers", response.headers)
    found.update({("Response.Headers", name): value for name, value in exchange.response_headers.items()})
    found.update({("Metric", f"{number}"): metric for number, metric in enumerate(exchange.metrics)})
    found.update({("Trace", f"{number}"): entry for number, entry in enumerate(exchange.traces)})
    found.update({("Event", f"{number}"): event for number, event in enumerate(exchange.events)})
    found.update({("Trace.Message", f"{number}"): text for number, text in enumerate(context.traced)})
    return found


def changes(before: State, after: State, mask: Mask) -> Iterator[Change]:
    """Compare two moments."""
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is not new and old != new:
            yield _change(key, old, new, mask)


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


def _headers(found: State, kind: str, headers: CIMultiDict[str]) -> None:
    for name, value in headers.items():
        key = (kind, name)
        found[key] = f"{found[key]},{value}" if key in found else value


def _name(target: Target) -> str:
    if isinstance(target, Endpoint):
        return target.id or f"{target.origin}{target.path}"
    return target.name
