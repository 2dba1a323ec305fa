"""How many tokens a call consumes: what the model's response says, or an estimate.

The estimate is approximate (inferred): four characters are a token, each chat message costs three more and an answer
begins with three, an image is 1,200. The service's own rule is not published.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from multidict import CIMultiDict

from apim_emulator.gateway.http.bodies import TooLargeError, decoded
from apim_emulator.gateway.llm.model_text import Json, Lines, completion_text, event_object, read_object
from apim_emulator.gateway.witness import witness

PROMPT_TYPES = ("auto", "chat-completion", "completion", "embeddings")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "auto": ("messages", "prompt", "input"),
    "chat-completion": ("messages",),
    "completion": ("prompt",),
    "embeddings": ("input",),
}

_CHARACTERS = 4
_PER_MESSAGE = 3
_PER_IMAGE = 1200
_MAX_EVENT = 1024 * 1024
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a prompt and of what a model made of it."""

    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a call consumed."""

    best: Tokens
    """What the response reports, else an estimate."""
    streamed: Tokens | None = None
    """The estimate of a stream, which limits go by whatever it reports; None for a response that came whole."""
    reported: bool = False
    """Whether the response reports it."""


def prompt_estimate(request: Json, prompt_type: str = "auto") -> int:
    """Estimate the tokens of a prompt."""
    name = next((field for field in _FIELDS[prompt_type] if field in request), None)
    if name is None:
        return 0
    tokens = _estimate(request[name])
    if name == "messages" and isinstance(request[name], list):
        tokens += _PER_MESSAGE * (len(request[name]) + 1)
    return tokens


def is_event_stream(headers: CIMultiDict[str]) -> bool:
    """Tell a response of server-sent events."""
    return headers.get("Content-Type", "").strip().lower().startswith("text/event-stream")


class TokenWatch:
    """Reads the consumption off a response once, for all policies that want it."""

    def __init__(self, prompt: int) -> None:
        """Take the prompt's estimate."""
        self._prompt = prompt
        self._listeners: list[Callable[[Consumption], None]] = []

    def tell(self, listener: Callable[[Consumption], None]) -> None:
        """Call a listener once the consumption is known: before outbound, or when a stream ends."""
        self._listeners.append(listener)

    def whole(self, status: int, headers: CIMultiDict[str], body: bytes) -> None:
        """Read a response that is there as a whole; only a success consumes anything (inferred)."""
        if not 200 <= status < 300:
            return self.known(Consumption(Tokens()))
        try:
            answer = read_object(decoded(body, headers))
        except TooLargeError:
            return self.known(Consumption(Tokens(self._prompt, -(-len(body) // _CHARACTERS))))
        except ValueError:
            answer = {}
        reported = _reported(answer.get("usage"))
        found = reported or Tokens(self._prompt, _estimate(completion_text(answer)))
        return self.known(Consumption(found, reported=reported is not None))

    def stream(self, headers: CIMultiDict[str]) -> "EventReader":
        """Read a stream of events as it passes."""
        return EventReader(headers, self._prompt, self.known)

    def known(self, consumption: Consumption) -> None:
        """Tell the listeners, once."""
        follower = witness.get()
        if follower is not None and self._listeners:
            best = consumption.best
            follower.counted(best.prompt, best.completion, reported=consumption.reported)
        while self._listeners:
            self._listeners.pop(0)(consumption)


class EventReader:
    """Counts the text of server-sent events and finds the usage that the last of them may hold."""

    def __init__(self, headers: CIMultiDict[str], prompt: int, done: Callable[[Consumption], None]) -> None:
        """Start before the first event."""
        self._prompt = prompt
        self._done = done
        self._lines = Lines()
        self._characters = 0
        self._reported: Tokens | None = None
        compressed = headers.get("Content-Encoding", "").strip().lower() in {"gzip", "x-gzip", "deflate"}
        self._inflate = zlib.decompressobj(47) if compressed else None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; lines of any length below 1 MiB may be cut anywhere."""
        try:
            text = self._plain(chunk)
        except zlib.error:
            return
        lines = self._lines.add(text)
        if self._lines.waiting > _MAX_EVENT:
            self._lines.rest()
        for line in lines:
            try:
                event = event_object(line)
            except TooLargeError:
                self._characters += len(line)
                continue
            if event:
                self._event(event)

    def _plain(self, chunk: bytes) -> bytes:
        if self._inflate is None:
            return chunk
        return self._inflate.decompress(self._inflate.unconsumed_tail + chunk, _MAX_EVENT)

    def finish(self, *, complete: bool) -> None:
        """Tell what was consumed; a stream that was given up cost what was generated until then (inferred)."""
        del complete
        estimated = Tokens(self._prompt, -(-self._characters // _CHARACTERS))
        self._done(Consumption(self._reported or estimated, estimated, self._reported is not None))

    def _event(self, event: Json) -> None:
        if "usage" in event:
            self._reported = _reported(event["usage"]) or self._reported
        self._characters += len(completion_text(event))


def _reported(usage: object) -> Tokens | None:
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens", 0))
    if not isinstance(prompt, int) or not isinstance(completion, int) or prompt < 0 or completion < 0:
        return None
    return Tokens(int(prompt), int(completion))


def _estimate(value: object, depth: int = 0) -> int:
    if isinstance(value, str):
        return -(-len(value) // _CHARACTERS)
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return sum(_estimate(item, depth + 1) for item in value)
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        if value.get("type") in {"image_url", "input_image"}:
            return _PER_IMAGE
        return sum(_estimate(value[name], depth + 1) for name in ("content", "text") if name in value)
    return 1 if isinstance(value, int) else 0
