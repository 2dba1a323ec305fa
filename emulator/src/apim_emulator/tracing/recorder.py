"""Recording calls: around each policy, what the call was before and after."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Answered, Failure, Finished, Location
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.policy import Run
from apim_emulator.model import Gateway
from apim_emulator.tracing.known import SHORTEST_FOUND
from apim_emulator.tracing.mask import (
    Mask,
    body_secrets,
    credentials,
    gateway_mask,
    remasked,
    remasked_change,
    request_secrets,
)
from apim_emulator.tracing.model import CallTrace, Change, Read, Span
from apim_emulator.tracing.state import State, changes, state_of
from apim_emulator.tracing.watch import reader, watch_parts, watched

CALLS = 50
"""Calls that are kept."""
_MAX_SPANS = 300
"""Policies of one call that are kept; `retry` may run many."""
_MAX_ENTRIES = 1000
"""Reads and changes of one call that are kept."""
_MAX_TOKENS = 512
"""Forms of managed identity tokens that are known."""


@dataclass(slots=True)
class _Open:
    """A policy that has not ended."""

    call: "_Call"
    location: Location
    node: Node
    started: float
    reads: dict[str, Read] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    children: list[Span] = field(default_factory=list)
    outcome: str | None = None
    error: str | None = None

    def read(self, what: str, name: str, value: object) -> None:
        """Take note of what a value was when it was first read."""
        if what not in self.reads and self.call.has_room():
            self.reads[what] = Read(self.call.mask.text(what), self.call.mask.named(name, value))

    def closed(self) -> Span:
        """Make the span."""
        at, start = self.location, self.call.started
        return Span(
            policy=at.policy, section=at.section, scope=at.scope, path=at.path, policy_id=at.policy_id,
            document=self.node.document, line=self.node.line, started=_ms(self.started - start),
            duration=_ms(perf_counter() - self.started), reads=tuple(self.reads.values()),
            changes=_ordered(self.changes), outcome=self.outcome,
            error=self.error, children=tuple(self.children),
        )  # fmt: skip


class _Call:
    """A call that has not ended."""

    def __init__(self, exchange: Exchange, mask: Mask) -> None:
        """Start with the call as it arrives."""
        self.started = perf_counter()
        self.time = exchange.services.clock.now()
        self.mask = mask
        self.mask.add(request_secrets(exchange.context.request, mask))
        self.method = exchange.context.request.method
        self.spans: list[Span] = []
        self.changes: list[Change] = []
        self.omitted = 0
        self.opened = 0
        self._entries = 0
        self._failure: BaseException | None = None
        self._bodies: list[bytes] = []
        self._learned = False
        exchange.context = watched(exchange.context)
        self._state = state_of(exchange, State())

    def has_room(self) -> bool:
        """Tell whether one more read or change may be kept, and count it."""
        self._entries += 1
        if self._entries > _MAX_ENTRIES:
            self.omitted += 1
        return self._entries <= _MAX_ENTRIES

    def ascribe(self, exchange: Exchange, found: list[Change]) -> None:
        """Take down what changed since the last time."""
        watch_parts(exchange.context)
        state = state_of(exchange, self._state)
        if self.mask.add(self._secrets(exchange, state)):
            self._learned = True
        found.extend(change for change in changes(self._state, state, self.mask) if self.has_room())
        self._state = state

    def _secrets(self, exchange: Exchange, state: State) -> Iterator[str]:
        """List what is secret by its name among what is new: headers, variables, members of bodies."""
        for name, value in state.new_texts(self._state):
            if self.mask.is_spent():
                return
            if self.mask.is_secret(name):
                yield from (part for part in credentials(name, value) if len(part) >= SHORTEST_FOUND)
        response = exchange.context.response
        others = [one.body for one in dict.values(exchange.context.variables) if isinstance(one, Response)]
        for body in (exchange.body, None if response is None else response.body, *others):
            if isinstance(body, bytes) and not any(body is known for known in self._bodies):
                self._bodies.append(body)
                yield from body_secrets(body, self.mask)

    def kept(self) -> tuple[tuple[Span, ...], tuple[Change, ...]]:
        """Return what was taken down; what became known as a secret too late is hidden in all of it."""
        changed = _ordered(self.changes)
        if not self._learned:
            return tuple(self.spans), changed
        again = tuple(remasked(span, self.mask) for span in self.spans)
        return again, tuple(remasked_change(change, self.mask) for change in changed)

    def told(self, error: BaseException) -> str | None:
        """Say what failed, where it failed first."""
        before, self._failure = self._failure, error
        if before is not None and before in (error, error.__context__):
            return None
        if isinstance(error, Failure):
            return self.mask.text(f"{error.reason}: {error.last_error().message}")
        if isinstance(error, EvaluationError):
            return f"ExpressionValueEvaluationFailure: {error.exception}"
        return type(error).__name__


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


class TraceRecorder:
    """Keeps the last calls of one or more gateways; a `apim_emulator.gateway.Tracer`."""

    def __init__(self, calls: int = CALLS) -> None:
        """Keep at most this many calls."""
        self._calls: deque[CallTrace] = deque(maxlen=calls)
        self._number = 0
        self._gateways: dict[str, Mask] = {}
        self._tokens = Mask(limit=_MAX_TOKENS)

    def last(self, count: int | None = None, after: int = 0) -> list[CallTrace]:
        """Return the last calls that ended, the oldest first, at most `count` and only those after a number."""
        found = [call for call in self._calls if call.number > after]
        return found if count is None else found[max(0, len(found) - count) :]

    def call(self, number: int) -> CallTrace | None:
        """Return a call by its number while it is kept."""
        return next((call for call in self._calls if call.number == number), None)

    def tokens(self, source: TokenSource) -> TokenSource:
        """Learn the tokens that a source issues, to mask them."""
        return _Issued(source, self._tokens)

    def loaded(self, gateway: Gateway) -> None:
        """Learn the secrets of what a service has now; those of other services stay known."""
        self._gateways[gateway.name] = gateway_mask(gateway)

    def begin(self, exchange: Exchange) -> None:
        """Start the trace of a call."""
        _call.set(_Call(exchange, Mask.of_call((*self._gateways.values(), self._tokens))))

    def wrap(self, run: Run, location: Location, node: Node) -> Run:
        """Record a policy whenever it runs in a call that is traced."""

        async def recorded(exchange: Exchange) -> None:
            call, parent = _call.get(), reader.get()
            if call is None:
                return await run(exchange)
            if call.opened >= _MAX_SPANS:
                call.omitted += 1
                return await run(exchange)
            call.opened += 1
            outer = parent if isinstance(parent, _Open) else None
            reader.set(None)
            call.ascribe(exchange, call.changes if outer is None else outer.changes)
            span = _Open(call, location, node, perf_counter())
            reader.set(span)
            try:
                await run(exchange)
            except Finished:
                span.outcome = "ends the pipeline"
                raise
            except Answered:
                span.outcome = "answers in place of the backend"
                raise
            except asyncio.CancelledError:
                span.outcome = "is given up"
                raise
            except BaseException as error:
                span.error = call.told(error)
                span.outcome = "fails"
                raise
            finally:
                reader.set(None)
                call.ascribe(exchange, span.changes)
                (call.spans if outer is None else outer.children).append(span.closed())
                reader.set(parent)
            return None

        return recorded

    def end(self, exchange: Exchange) -> None:
        """Keep the trace of a call."""
        call, context = _call.get(), exchange.context
        if call is None:
            return
        _call.set(None)
        call.ascribe(exchange, call.changes)
        mask, error, request = call.mask, context.last_error, context.request
        original = request.original_url
        self._number += 1
        spans, changed = call.kept()
        self._calls.append(
            CallTrace(
                number=self._number, id=str(context.request_id), time=call.time,
                duration=_ms(perf_counter() - call.started), method=mask.text(call.method),
                url=mask.url(f"{original.path}{original.query_string}"), caller=request.ip_address,
                api=None if context.api is None else context.api.id,
                operation=None if context.operation is None else context.operation.id,
                product=None if context.product is None else context.product.id,
                subscription=None if context.subscription is None else context.subscription.id,
                status=None if context.response is None else context.response.status,
                backend_called=exchange.backend_called, sent=exchange.sent,
                error=None if error is None else mask.text(f"{error.reason}: {error.message}"),
                spans=spans, changes=changed, omitted=call.omitted,
            )
        )  # fmt: skip


class _Issued:
    """A token source whose last tokens are known."""

    def __init__(self, source: TokenSource, known: Mask) -> None:
        self._source = source
        self._known = known

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Pass on a token."""
        token, expires = self._source.managed_identity_token(principal_id, resource)
        self._known.add([token])
        return token, expires


def _ordered(found: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda change: change.what))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
