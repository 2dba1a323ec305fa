"""One call on its way through the pipeline."""

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from apim_emulator.clock import Clock
from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.backends.identity import Identities
from apim_emulator.gateway.backends.targets import Endpoint, Target
from apim_emulator.gateway.cache import ValueCache
from apim_emulator.gateway.certificates import Trust
from apim_emulator.gateway.context.objects import Context, Response
from apim_emulator.gateway.diagnostics import LlmTrail, Trail
from apim_emulator.gateway.http import bodies
from apim_emulator.gateway.http.observe import BodyObserver, ObservedStream
from apim_emulator.gateway.http.transport import Answer, Incoming, Transport
from apim_emulator.gateway.limits.counters import Counters
from apim_emulator.gateway.llm.model_text import MAX_BYTES, Json, read_object
from apim_emulator.gateway.llm.semantic_cache import CacheQuery, SemanticCache
from apim_emulator.gateway.llm.token_usage import TokenWatch, is_event_stream, prompt_estimate
from apim_emulator.gateway.telemetry import EventHubMessage, Metric, TraceEntry
from apim_emulator.gateway.tokens.openid import OpenIdProviders
from apim_emulator.gateway.tokens.verified import VerifiedTokens
from apim_emulator.model import Connection


@dataclass(frozen=True, slots=True)
class Services:
    """What policies use beyond the call itself."""

    transport: Transport
    clock: Clock
    identities: Identities
    providers: OpenIdProviders
    verified_tokens: VerifiedTokens
    values: ValueCache
    running: dict[str, int]
    """How many calls are inside each `limit-concurrency`, by key; a key without calls is absent."""
    counters: Counters
    semantic_cache: SemanticCache
    trust: Trust
    connections: Mapping[tuple[str, str], Connection] = field(default_factory=dict)
    """By provider and ID."""


Hook = Callable[["Exchange"], Awaitable[None]]
"""What a policy left to be done later in the same call; it may raise `Failure`."""


@dataclass(slots=True)
class Exchange:
    """The call, what the policies decided about it, and its upstream call."""

    context: Context
    services: Services
    incoming: Incoming = field(repr=False)
    target: Target | None = None
    """Where forward-request sends it; None: nowhere yet."""
    target_scope: str | None = None
    """Scope whose policy chose a backend by id, None where none did."""
    certificate: Certificate | None = None
    """What the gateway presents to the backend."""
    host_set: bool = False
    """Whether a policy set the `Host` header."""
    backend_called: bool = False
    upstream: Answer | None = None
    body: bytes | None = field(default=None, repr=False)
    """Request body once it was read into memory."""
    preflight: bool = False
    """Whether this is a browser's question that only `cors` answers."""
    streamed: bool = False
    """Whether the request body went to a backend as it arrived, and is gone."""
    on_response: list[Hook] = field(default_factory=list)
    """Run once, when the backend section has left a response and before outbound."""
    on_end: list[Hook] = field(default_factory=list)
    """Run once, when the pipeline has ended and before the response goes out."""
    on_close: list[Callable[["Exchange"], None]] = field(default_factory=list)
    """Run once, when the response went out or was given up."""
    response_headers: dict[str, str] = field(default_factory=dict)
    """Headers that policies put on the response before there is one."""
    sent: int = 0
    """Bytes of the response's body that went out."""
    counted: set[str] = field(default_factory=set)
    """Keys of `quota-by-key` that this call was counted for."""
    cache_query: CacheQuery | None = None
    """What `llm-semantic-cache-lookup` did not find, for the store policy."""
    cache_key: str | None = None
    """What `cache-lookup` did not find, for the store policy."""
    token_watch: TokenWatch | None = None
    """Works out the tokens of this call, where a policy asked for them."""
    metrics: list[Metric] = field(default_factory=list)
    traces: list[TraceEntry] = field(default_factory=list)
    events: list[EventHubMessage] = field(default_factory=list)
    trail: Trail | None = None
    """What is noted for the diagnostics of the API; None: there are none."""
    _observed: list[ObservedStream] = field(default_factory=list)
    _prompt: tuple[bytes, Json] | None = field(default=None, repr=False)

    @property
    def response(self) -> Response:
        """The response so far; empty 200 where nothing was forwarded (inferred)."""
        if self.context.response is None:
            self.context.response = Response()
        return self.context.response

    @property
    def deployment(self) -> str | None:
        """The model's deployment that the URL names, else the one that the prompt names, once it was read."""
        named = self.context.request.matched_parameters.get("deployment-id")
        found = named or (None if self._prompt is None else self._prompt[1].get("model"))
        return found if isinstance(found, str) else None

    def send_to(self, target: Target) -> None:
        """Send the call to a target; an endpoint's base path becomes part of the request's URL."""
        self.target = target
        self.context.request.base_path = target.path if isinstance(target, Endpoint) else ""

    async def read_request(self) -> bytes:
        """Read the request's body into memory, once; the backend then gets it from there.

        Empty where a backend already got it as it arrived. Raises `Failure`: too large, too slow or broken off.
        """
        if self.body is None:
            self.body = b"" if self.streamed else await bodies.read_request(self.incoming)
        return self.body

    async def read_prompt(self) -> Json:
        """Read the request's body as a JSON object, once for each body it has; empty where it is none.

        Raises `Failure` 413 for one that is too large to be read (inferred: the status).
        """
        body = await self.read_request()
        if self._prompt is None or self._prompt[0] is not body:
            try:
                found = read_object(bodies.decoded(body, self.context.request.headers, MAX_BYTES))
            except bodies.TooLargeError:
                raise bodies.too_large() from None
            except ValueError:
                found = {}
            self._prompt = body, found
        return self._prompt[1]

    async def read_response(self) -> bytes:
        """Read the response's body into memory, once; raises `Failure` where it breaks off or is too large."""
        response = self.response
        if response.stream is not None:
            response.body = await bodies.read_response(response.stream)
            response.stream = None
        return response.body

    def observe(self, observer: BodyObserver) -> None:
        """Show the response's body to an observer as it passes, chunk by chunk and without holding it back."""
        response = self.response
        chunks: AsyncIterable[bytes] | None = response.stream
        if chunks is None:
            if response.body:
                observer.feed(response.body)
            observer.finish(complete=True)
        else:
            response.stream = ObservedStream(chunks, observer)
            self._observed.append(response.stream)

    def watch_tokens(self, prompt: int) -> TokenWatch:
        """Have the tokens of this call worked out; the first prompt's estimate holds for all."""
        if self.token_watch is None:
            self.token_watch = TokenWatch(prompt)
        return self.token_watch

    async def before_backend(self) -> None:
        """Note what diagnostics record of the request, once it is let through. Raises what `read_request` does."""
        if (trail := self.trail) is None:
            return
        if trail.request_bytes:
            trail.request_body = (await self.read_request())[: trail.request_bytes]
        if trail.records_llm:
            prompt = await self.read_prompt()
            trail.llm = LlmTrail(self.deployment or "", prompt)
            self.watch_tokens(prompt_estimate(prompt)).tell(trail.llm.consumed)

    async def response_received(self) -> None:
        """Do what waits for the backend's response."""
        self.put_headers()
        if self.trail is not None:
            await self._note_response(self.trail)
        if self.token_watch is not None:
            await self._read_tokens(self.token_watch)
        await self._run(self.on_response)
        self.put_headers()

    async def _note_response(self, trail: Trail) -> None:
        if trail.response_bytes:
            trail.response_body = (await self.read_response())[: trail.response_bytes]
        if trail.llm is not None:
            trail.llm.answered(self.response.status, self.response.headers)
            self.observe(trail.llm)

    async def _read_tokens(self, watch: TokenWatch) -> None:
        response = self.response
        if response.stream is not None and is_event_stream(response.headers):
            self.observe(watch.stream(response.headers))
        else:
            watch.whole(response.status, response.headers, await self.read_response())

    async def ended(self) -> None:
        """Do what waits for the end of the pipeline."""
        await self._run(self.on_end)
        self.put_headers()

    def put_headers(self) -> None:
        """Move waiting headers to the response."""
        for name, value in self.response_headers.items():
            self.response.headers.popall(name, None)
            self.response.headers[name] = value
        self.response_headers.clear()

    async def _run(self, hooks: list[Hook]) -> None:
        while hooks:
            await hooks.pop(0)(self)

    def replace_request_body(self, body: bytes) -> None:
        """Replace the request's body; the new one has no content encoding."""
        request = self.context.request
        self.body = request.body = body
        request.has_body, request.body_consumed = bool(body), False
        request.headers.popall("Content-Encoding", None)

    def replace_response_body(self, body: bytes) -> None:
        """Replace the response's body; the new one has no content encoding, and the backend's is abandoned."""
        response = self.response
        if response.stream is not None:
            self.drop_upstream()
        response.body, response.stream, response.body_consumed = body, None, False
        response.headers.popall("Content-Encoding", None)

    def drop_upstream(self) -> None:
        """Give up the call to the backend if it still runs."""
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None

    def close(self) -> None:
        """Give up what still runs, and tell those who watched."""
        self.drop_upstream()
        for stream in self._observed:
            stream.finish(complete=False)
        while self.on_close:
            self.on_close.pop(0)(self)
        # Its listeners know this call: a cycle that only the garbage collector would end.
        self.token_watch = None
