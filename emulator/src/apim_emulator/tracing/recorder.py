"""Recording calls: around each policy, what the call was before and after."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import islice
from time import perf_counter

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.context.objects import Context, Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Answered, Failure, Finished, Location
from apim_emulator.gateway.http.headers import end_to_end
from apim_emulator.gateway.http.transport import Incoming
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.policy import Run
from apim_emulator.gateway.witness import Demanded, Fact, Sent, Tried, witness
from apim_emulator.model import Gateway
from apim_emulator.tracing.known import SHORTEST_FOUND
from apim_emulator.tracing.mask import (
    Mask,
    body_secrets,
    credentials,
    gateway_mask,
    request_secrets,
)
from apim_emulator.tracing.model import CallTrace, Change, Read, Span, SubCall, TokenCheck, TokenCount
from apim_emulator.tracing.shown import attempt, claim, ms, private_values, source, sub_call, words
from apim_emulator.tracing.state import State, changes, state_of
from apim_emulator.tracing.watch import watch_parts, watched

CALLS = 50
"""Calls that are kept."""
_MAX_SPANS = 300
"""Policies of one call that are kept; `retry` may run many."""
_MAX_ENTRIES = 1000
"""Reads, changes, notes and further calls of one call that are kept."""
_SETTERS = frozenset(
    {
        "set-header", "set-query-parameter", "set-variable", "set-method", "set-status", "set-body",
        "set-backend-service", "rewrite-uri",
    }
)  # fmt: skip
"""Policies whose only work is to change something."""
_MAX_CLAIMS = 40
"""Claims of a token that are kept."""
_LONGEST_FACT = 500
"""Characters of a value in a note that are looked at."""
_MAX_HEADERS = 100
"""Headers of a request that are kept."""
_COMMON = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "content-length",
        "content-type", "cookie", "host", "origin", "referer", "traceparent", "user-agent", "api-key",
        "ocp-apim-subscription-key",
    }
)  # fmt: skip
"""Names of headers that are no secrets: most of those that there are."""
_MAX_TOKENS = 512
"""Forms of managed identity tokens that are known."""


class _Said:
    """What is said while a policy runs or, outside any, of the call."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, Sequence[Fact]]] = []
        self.calls: list[Sent] = []
        self.changes: list[Change] = []


class _Open(_Said):
    """A policy that has not ended; a `apim_emulator.gateway.witness.Witness`."""

    def __init__(self, call: "_Call", location: Location, node: Node) -> None:
        super().__init__()
        self.call = call
        self.reads: dict[str, Read] = {}
        self.children: list[_Open] = []
        self.token: tuple[Sequence[Demanded], bool] | None = None
        self.outcome: str | None = None
        self.error: str | None = None
        self._location = location
        self._node = node
        self._started = perf_counter()
        self._ended = self._started

    def read(self, what: str, name: str, value: object) -> None:
        """Take note of what a value was when it was first read."""
        if what not in self.reads and self.call.has_room():
            self.reads[what] = Read(self.call.mask.text(what), self.call.mask.named(name, value))

    def note(self, text: str, values: Sequence[Fact]) -> None:
        """Keep the words; they are shown when every secret of the call is known."""
        self.call.keep_note(self, text, values)

    def sent(self, call: Sent) -> None:
        """Keep a call of the gateway's own, or an attempt at the backend."""
        self.call.keep_sent(self, call)

    def checked(self, token: Sequence[Demanded], *, accepted: bool) -> None:
        """Keep what a token says beside what is demanded of it."""
        rows = token[:_MAX_CLAIMS]
        self.token = rows, accepted
        self.call.learn(private_values(rows, self.call.mask))
        self.call.omitted += len(token) - len(rows)
        if accepted:
            found = {row.name: row.found for row in token}
            self.call.application = next(iter(found.get("azp") or found.get("appid") or ()), None)

    def counted(self, prompt: int, completion: int, *, reported: bool) -> None:
        """Keep the tokens, which are the call's."""
        self.call.counted(prompt, completion, reported=reported)

    def end(self) -> None:
        """Take note of the end."""
        self._ended = perf_counter()

    def span(self, again: Callable[[str | None], str | None]) -> Span:
        """Make the span; `again` hides what became known as a secret after it was written down."""
        at, call = self._location, self.call
        reads = (Read(again(one.what) or "", again(one.value)) for one in self.reads.values())
        return Span(
            policy=at.policy, section=at.section, scope=at.scope, path=at.path, policy_id=at.policy_id,
            document=self._node.document, line=self._node.line, source=source(self._node, call.mask),
            started=ms(self._started - call.started), duration=ms(self._ended - self._started),
            reads=tuple(reads), changes=_ordered(self.changes, again), notes=call.words(self),
            calls=call.calls_of(self),
            token=None if self.token is None else TokenCheck(
                accepted=self.token[1], claims=tuple(claim(row, call.mask) for row in self.token[0])
            ),
            outcome=self.outcome, error=again(self.error), children=tuple(one.span(again) for one in self.children),
        )  # fmt: skip


class _Call(_Said):
    """A call that has not ended; the witness of what is done outside any policy."""

    def __init__(self, exchange: Exchange, mask: Mask) -> None:
        """Start with the call as it arrives."""
        super().__init__()
        self.started = perf_counter()
        self.time = exchange.services.clock.now()
        self.mask = mask
        self.mask.add(request_secrets(exchange.context.request, mask))
        self.method = exchange.context.request.method
        self.spans: list[_Open] = []
        self.attempts: list[Tried] = []
        self.tokens: TokenCount | None = None
        self.application: str | None = None
        self.last = ""
        """The policy that ended last, of those in a section."""
        self.omitted = 0
        self.opened = 0
        self._entries = 0
        self._failure: BaseException | None = None
        self._bodies: list[bytes] = []
        self._learned = False
        exchange.context = watched(exchange.context)
        self._state = state_of(exchange, State())

    def has_room(self) -> bool:
        """Tell whether one more read, change or note may be kept, and count it."""
        self._entries += 1
        if self._entries > _MAX_ENTRIES:
            self.omitted += 1
        return self._entries <= _MAX_ENTRIES

    def read(self, what: str, name: str, value: object) -> None:
        """Leave out what the gateway itself reads."""

    def note(self, text: str, values: Sequence[Fact]) -> None:
        """Keep the words, and after which policy it was."""
        if self.last:
            text, values = f"after {{}}: {text}", (self.last, *values)
        self.keep_note(self, text, values)

    def sent(self, call: Sent) -> None:
        """Keep a call that belongs to no policy."""
        self.keep_sent(self, call)

    def checked(self, token: Sequence[Demanded], *, accepted: bool) -> None:
        """Leave out what no policy asked for."""

    def counted(self, prompt: int, completion: int, *, reported: bool) -> None:
        """Keep the tokens."""
        self.tokens = TokenCount(prompt, completion, prompt + completion, reported)

    def keep_note(self, owner: _Said, text: str, values: Sequence[Fact]) -> None:
        """Keep words of a policy's or of the call's."""
        if self.has_room():
            owner.notes.append((text, [one[:_LONGEST_FACT] if isinstance(one, str) else one for one in values]))

    def keep_sent(self, owner: _Said, call: Sent) -> None:
        """Keep an attempt with the call, and any other with whoever made it."""
        if self.has_room():
            if isinstance(call, Tried):
                self.attempts.append(call)
            else:
                owner.calls.append(call)

    def words(self, owner: _Said) -> tuple[str, ...]:
        """Write the notes."""
        return tuple(words(text, values, self.mask) for text, values in owner.notes)

    def calls_of(self, owner: _Said) -> tuple[SubCall, ...]:
        """Write the calls of the gateway's own."""
        return tuple(sub_call(call, self.started, self.mask) for call in owner.calls)

    def learn(self, secrets: Sequence[str]) -> None:
        """Hide what became known as a secret, in what was written down before too."""
        if self.mask.add(secrets):
            self._learned = True

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

    def again(self) -> Callable[[str | None], str | None]:
        """Return what hides in a text that is written down already what became known as a secret later."""
        learned = self.mask.add_seen() or self._learned
        return self.mask.maybe if learned else lambda text: text

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
        self.on_call: list[Callable[[], None]] = []
        """Are called whenever a call has ended and can be looked at."""
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
        call = _Call(exchange, Mask.of_call((*self._gateways.values(), self._tokens)))
        _call.set(call)
        witness.set(call)

    def wrap(self, run: Run, location: Location, node: Node) -> Run:
        """Record a policy whenever it runs in a call that is traced."""

        async def recorded(exchange: Exchange) -> None:
            call, parent = _call.get(), witness.get()
            if call is None:
                return await run(exchange)
            if call.opened >= _MAX_SPANS:
                call.omitted += 1
                return await run(exchange)
            call.opened += 1
            outer = parent if isinstance(parent, _Open) else None
            witness.set(None)
            call.ascribe(exchange, call.changes if outer is None else outer.changes)
            span = _Open(call, location, node)
            witness.set(span)
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
                witness.set(None)
                call.ascribe(exchange, span.changes)
                span.end()
                if location.policy in _SETTERS and not (span.changes or span.notes or span.outcome):
                    span.note("changed nothing: it was so already", ())
                if outer is None:
                    call.spans.append(span)
                    call.last = location.policy
                else:
                    outer.children.append(span)
                witness.set(parent)
            return None

        return recorded

    def end(self, exchange: Exchange) -> None:
        """Keep the trace of a call."""
        call, context = _call.get(), exchange.context
        if call is None:
            return
        _call.set(None)
        witness.set(None)
        call.ascribe(exchange, call.changes)
        mask, error, request = call.mask, context.last_error, context.request
        original = request.original_url
        self._number += 1
        again = call.again()
        spans, changed = tuple(span.span(again) for span in call.spans), _ordered(call.changes, again)
        self._calls.append(
            CallTrace(
                number=self._number, id=str(context.request_id), time=call.time,
                duration=ms(perf_counter() - call.started), method=mask.text(call.method),
                url=mask.url(f"{original.path}{original.query_string}"),
                headers=_headers(exchange.incoming, mask), body=_body(exchange), caller=request.ip_address,
                service=context.service_name, identity=_identity(call, context),
                deployment=mask.maybe(exchange.deployment),
                api=None if context.api is None else context.api.id,
                operation=None if context.operation is None else context.operation.id,
                product=None if context.product is None else context.product.id,
                subscription=None if context.subscription is None else context.subscription.id,
                status=None if context.response is None else context.response.status,
                backend_called=exchange.backend_called,
                attempts=tuple(attempt(one, call.started, mask) for one in call.attempts), tokens=call.tokens,
                sent=exchange.sent,
                error=None if error is None else mask.text(f"{error.reason}: {error.message}"),
                spans=spans, changes=changed,
                notes=call.words(call), calls=call.calls_of(call), omitted=call.omitted,
            )
        )  # fmt: skip
        for told in self.on_call:
            told()


def _identity(call: _Call, context: Context) -> str:
    if context.subscription is not None:
        return f"subscription {context.subscription.id}"
    return "anonymous" if call.application is None else f"application {call.mask.text(call.application)}"


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


def _headers(incoming: Incoming, mask: Mask) -> tuple[tuple[str, str], ...]:
    found = islice(end_to_end(incoming.headers).items(), _MAX_HEADERS)
    return tuple(
        (name if name.lower() in _COMMON else mask.text(name), mask.header(name, value)) for name, value in found
    )


def _body(exchange: Exchange) -> int | None:
    """Tell how long the body was that arrived; what policies put in its place does not count."""
    incoming = exchange.incoming
    return incoming.content_length if incoming.body_exists else 0


def _ordered(found: list[Change], again: Callable[[str | None], str | None]) -> tuple[Change, ...]:
    shown = (Change(again(one.what) or "", again(one.before), again(one.after)) for one in found)
    return tuple(sorted(shown, key=lambda change: change.what))
