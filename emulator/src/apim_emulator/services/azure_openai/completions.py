"""Completions of the prompts of old, and what chat completions have in common with them.

Shapes are those of the "Azure OpenAI REST API reference", content filter results included.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.generation import (
    SEVERITIES,
    Answer,
    Reply,
    Stream,
    check_sampling,
    check_size,
    derived_id,
    model_id,
    read_stops,
    reply,
    streams,
    usage,
)
from apim_emulator.services.azure_openai.parameters import (
    Json,
    inputs,
    optional,
    refuse_others,
    unrecognized,
    whole_number,
)

OFFERED = frozenset(
    {"max_tokens", "model", "n", "prompt", "seed", "stop", "stream", "stream_options", "temperature", "top_p", "user"}
)
LACKED: Mapping[str, object] = {
    "best_of": 1,
    "echo": False,
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": None,
    "presence_penalty": 0,
    "suffix": None,
}


@dataclass(frozen=True, slots=True)
class Generation:
    """What a request gets, before it is put into the shape of an operation."""

    id: str
    created: int
    model: str
    replies: list[Reply]
    prompts: int
    prompt_tokens: int

    def __post_init__(self) -> None:
        """Refuse what is too long."""
        check_size(self.replies)

    def usage(self) -> Json:
        """Tokens of prompts and replies."""
        return usage(self.prompt_tokens, sum(each.size for each in self.replies))

    def envelope(self, kind: str, choices: list[Json]) -> Json:
        """Body around choices."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def answer(self, kind: str, choices: list[Json]) -> Json:
        """Body of an answer that is not streamed."""
        return {
            **self.envelope(kind, choices),
            "prompt_filter_results": self._prompt_filter_results(),
            "usage": self.usage(),
        }

    def stream(self, kind: str, choices: list[Json], *, include_usage: bool) -> Stream:
        """Events of a stream: Azure's opening one about the prompt, one for each choice's piece, and the usage."""
        opening = {
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            "choices": [],
            "prompt_filter_results": self._prompt_filter_results(),
        }
        pending_usage = {"usage": None} if include_usage else {}
        events = [opening, *({**self.envelope(kind, [choice]), **pending_usage} for choice in choices)]
        if include_usage:
            events.append({**self.envelope(kind, []), "usage": self.usage()})
        return Stream(events)

    def _prompt_filter_results(self) -> list[Json]:
        return [{"prompt_index": index, "content_filter_results": SEVERITIES} for index in range(self.prompts)]


def completion(model: ModelDeployment, body: Json, now: int) -> Answer:
    """Complete each prompt with itself."""
    refuse_others(body, OFFERED, LACKED, refusal=unrecognized)
    check_sampling(body, model)
    prompts = inputs("prompt", body["prompt"]) if body.get("prompt") is not None else [["<|endoftext|>"]]
    limit = whole_number(body, "max_tokens")
    count = whole_number(body, "n", at_most=128) or 1
    stops = read_stops(body, model)
    replies = [reply("".join(prompt), limit=limit, stops=stops) for prompt in prompts]
    generation = Generation(
        id=derived_id("cmpl-", model.name, body),
        created=now,
        model=model_id(model),
        replies=[each for each in replies for _ in range(count)],
        prompts=len(prompts),
        prompt_tokens=sum(map(len, prompts)),
    )
    if streams(body):
        choices = []
        for index, each in enumerate(generation.replies):
            choices += [_choice(index, token) for token in each.text]
            choices.append(_choice(index, "", finish_reason(each)))
        return generation.stream("text_completion", choices, include_usage=includes_usage(body))
    choices = [_choice(index, "".join(each.text), finish_reason(each)) for index, each in enumerate(generation.replies)]
    return generation.answer("text_completion", choices)


def finish_reason(reply: Reply) -> str:
    """Why a reply that calls nothing ended."""
    return "length" if reply.cut else "stop"


def includes_usage(body: Json) -> bool:
    """Whether a stream ends with the usage."""
    options = optional(body, "stream_options", dict, "an object") or {}
    refuse_others(options, {"include_usage"}, {"include_obfuscation": False}, within="stream_options.")
    return bool(optional(options, "include_usage", bool, "a boolean", within="stream_options."))


def _choice(index: int, text: str, reason: str | None = None) -> Json:
    return {
        "index": index,
        "text": text,
        "finish_reason": reason,
        "logprobs": None,
        "content_filter_results": SEVERITIES,
    }
