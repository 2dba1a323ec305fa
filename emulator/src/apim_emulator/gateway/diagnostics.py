"""What the diagnostics of an API record of a call, and of how many calls."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from multidict import CIMultiDict

from apim_emulator.gateway.http.bodies import decoded
from apim_emulator.gateway.llm.model_text import PROMPT_FIELDS, Json, completion_text, event_object, read_object
from apim_emulator.gateway.llm.token_usage import Consumption, Tokens, is_event_stream
from apim_emulator.gateway.telemetry import BackendCall, CallLog, LlmCall
from apim_emulator.model import Diagnostic, Gateway

_MOST_BYTES = 2 * 1024 * 1024
"""Most bytes of an answer that are read for its messages ("Log token usage, prompts, and completions for LLM APIs")."""


class Monitor(Protocol):
    """Takes what diagnostics record, as Application Insights and Azure Monitor do."""

    def record(self, gateway: Gateway, diagnostic: Diagnostic, call: CallLog, *, sampled: bool) -> None:
        """Take a call. Without `sampled` it counts only for what is never left out, such as metrics."""


@dataclass(slots=True)
class Trail:
    """What is noted of a call on its way, for its diagnostics."""

    diagnostics: tuple[Diagnostic, ...]
    time: float
    """When the call arrived, in Unix time."""
    started: float = field(default_factory=perf_counter)
    backends: list[BackendCall] = field(default_factory=list)
    request_body: bytes = field(default=b"", repr=False)
    response_body: bytes = field(default=b"", repr=False)
    llm: "LlmTrail | None" = None

    @property
    def records_llm(self) -> bool:
        """Whether one of the diagnostics asks what language models did."""
        return any(found.llm is not None for found in self.diagnostics)

    @property
    def request_bytes(self) -> int:
        """Most bytes of the request's body that one of the diagnostics asks for."""
        return max((max(one.request.body_bytes, one.backend_request.body_bytes) for one in self.diagnostics), default=0)

    @property
    def response_bytes(self) -> int:
        """Most bytes of the response's body that one asks for; any of them makes the gateway hold the response back.

        "Configure API for server-sent events" warns of it.
        """
        return max(
            (max(one.response.body_bytes, one.backend_response.body_bytes) for one in self.diagnostics), default=0
        )


class LlmTrail:
    """Reads off an answer, as it passes, which model gave it and what it says."""

    def __init__(self, deployment: str, prompt: Json) -> None:
        """Take what the caller asked."""
        self._deployment, self._prompt = deployment, prompt
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._body = bytearray()
        self._tokens = Tokens()
        self.succeeded = False

    def consumed(self, consumption: Consumption) -> None:
        """Take note of the tokens."""
        self._tokens = consumption.best

    def answered(self, status: int, headers: CIMultiDict[str]) -> None:
        """Take note of the response's head."""
        self._headers, self.succeeded = headers.copy(), 200 <= status < 300

    def feed(self, chunk: bytes) -> None:
        """Copy the next bytes, no more than are read."""
        if len(self._body) < _MOST_BYTES:
            self._body += chunk

    def finish(self, *, complete: bool) -> None:
        """Do nothing: what passed is read when somebody asks."""

    def call(self) -> LlmCall | None:
        """Tell what is known; None of a call that consumed nothing."""
        if not self.succeeded or self._tokens == Tokens():
            return None
        streamed = is_event_stream(self._headers)
        answers = list(self._answers(streamed=streamed))
        return LlmCall(
            deployment=self._deployment,
            model=_first(answers, "model"),
            request_id=_first(answers, "id"),
            prompt_tokens=self._tokens.prompt,
            completion_tokens=self._tokens.completion,
            streamed=streamed,
            prompt=_as_text(_messages(self._prompt)),
            completion=_as_text(_completion(answers)),
        )

    def _answers(self, *, streamed: bool) -> Iterator[Json]:
        try:
            body = decoded(bytes(self._body), self._headers)
            if not streamed:
                yield read_object(body)
                return
            for line in body.splitlines():
                if event := event_object(line):
                    yield event
        except ValueError:  # a part of a compressed body, or what is too large
            return


def _first(answers: list[Json], name: str) -> str:
    for answer in answers:
        for holder in (answer, answer.get("response")):
            if isinstance(holder, Mapping) and isinstance(found := holder.get(name), str) and found:
                return found
    return ""


def _messages(request: Json) -> list[Any]:
    """Return a request's messages; a bare prompt is a message of the user."""
    found: list[Any] = []
    for name in PROMPT_FIELDS:
        value = request.get(name)
        if isinstance(value, list):
            found += value
        elif isinstance(value, str):
            found.append({"role": "system" if name == "instructions" else "user", "content": value})
    return found


def _completion(answers: list[Json]) -> list[Any]:
    text = "".join(completion_text(answer) for answer in answers)
    return [{"role": "assistant", "content": text}] if text else []


def _as_text(messages: list[Any]) -> str | None:
    return json.dumps(messages, ensure_ascii=False, separators=(",", ":")) if messages else None


class Sampler:
    """Decides which calls a diagnostic records: evenly, where the service decides by chance."""

    def __init__(self) -> None:
        """Start with the first call of each diagnostic."""
        self._credit: dict[tuple[str | None, str], float] = {}

    def takes(self, diagnostic: Diagnostic, call: CallLog) -> bool:
        """Whether a call is recorded."""
        if diagnostic.always_log_errors and (call.status >= 400 or call.error is not None):
            return True
        key = (call.api_id, diagnostic.id)
        credit = self._credit.get(key, 100.0 - diagnostic.sampling) + diagnostic.sampling
        self._credit[key] = credit - 100.0 if credit >= 100.0 else credit
        return credit >= 100.0 and diagnostic.sampling > 0
