"""Chat completions and completions that echo the prompt, whole or as a stream.

Shapes are those of the "Azure OpenAI REST API reference", content filter results included.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import TypeAlias

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.exceptions import invalid_request
from apim_emulator.services.azure_openai.parameters import (
    Json,
    array,
    inputs,
    missing,
    tokens,
    whole_number,
    wrong_type,
)

Answer: TypeAlias = Json | list[Json]
"""A body, or the events of a stream."""

ROLES = ("system", "assistant", "user", "function", "tool", "developer")

_REASONING = ("gpt-5", "o1", "o3", "o4")
"""What the names of reasoning models begin with; they bound what they think as well as what they say, by another
parameter ("Azure OpenAI reasoning models"; the words: microsoft/sample-app-aoai-chatGPT #1514)."""

ECHO_LENGTH = 200
"""Characters of the prompt that an answer repeats."""

_SEVERITIES = {
    category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")
}


@dataclass(frozen=True, slots=True)
class _Choice:
    """One generated answer."""

    tokens: list[str]
    finish_reason: str


@dataclass(frozen=True, slots=True)
class _Generation:
    """What a request gets, before it is put into the shape of an operation."""

    id: str
    created: int
    model: str
    choices: list[_Choice]
    prompts: int
    prompt_tokens: int

    def usage(self) -> Json:
        completion_tokens = sum(len(choice.tokens) for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        }

    def envelope(self, kind: str, choices: list[Json]) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def prompt_filter_results(self) -> list[Json]:
        return [{"prompt_index": index, "content_filter_results": _SEVERITIES} for index in range(self.prompts)]


def model_id(model: ModelDeployment) -> str:
    """Name of a model with its version, as answers and the list of models give it."""
    return f"{model.model}-{model.version}" if model.version else model.model


def chat_completion(model: ModelDeployment, body: Json, now: int) -> Answer:
    """Answer a chat with its last user message."""
    if body.get("messages") is None:
        raise missing("messages")
    messages = [
        _message(f"messages[{index}]", message)
        for index, message in enumerate(array("messages", "an array of objects", body["messages"]))
    ]
    question = next((text for role, text in reversed(messages) if role == "user"), "")
    if body.get("max_tokens") is not None and model.model.startswith(_REASONING):
        raise invalid_request(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    limit = whole_number(body, "max_completion_tokens") or whole_number(body, "max_tokens")
    count = whole_number(body, "n", at_most=128) or 1
    generation = _Generation(
        id=_id("chatcmpl-", model, body),
        created=now,
        model=model_id(model),
        choices=[_echo(question, limit)] * count,
        prompts=1,
        # three tokens frame each message and three more begin the answer
        prompt_tokens=sum(len(tokens(text)) + 3 for _, text in messages) + 3,
    )
    if _streams(body):
        return _chat_events(generation, include_usage=_includes_usage(body))
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": "".join(choice.tokens), "refusal": None},
            "finish_reason": choice.finish_reason,
            "logprobs": None,
            "content_filter_results": _SEVERITIES,
        }
        for index, choice in enumerate(generation.choices)
    ]
    return {
        **generation.envelope("chat.completion", choices),
        "prompt_filter_results": generation.prompt_filter_results(),
        "usage": generation.usage(),
    }


def completion(model: ModelDeployment, body: Json, now: int) -> Answer:
    """Complete each prompt with itself."""
    prompts = inputs("prompt", body["prompt"]) if body.get("prompt") is not None else [["<|endoftext|>"]]
    limit = whole_number(body, "max_tokens")
    count = whole_number(body, "n", at_most=128) or 1
    generation = _Generation(
        id=_id("cmpl-", model, body),
        created=now,
        model=model_id(model),
        choices=[_echo("".join(prompt), limit) for prompt in prompts for _ in range(count)],
        prompts=len(prompts),
        prompt_tokens=sum(map(len, prompts)),
    )
    if _streams(body):
        return _completion_events(generation, include_usage=_includes_usage(body))
    choices = [
        _completion_choice(index, "".join(choice.tokens), choice.finish_reason)
        for index, choice in enumerate(generation.choices)
    ]
    return {
        **generation.envelope("text_completion", choices),
        "prompt_filter_results": generation.prompt_filter_results(),
        "usage": generation.usage(),
    }


def _message(param: str, message: object) -> tuple[str, str]:
    """Role and text of a message."""
    if not isinstance(message, dict):
        raise wrong_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing(f"{param}.role")
    if role not in ROLES:
        supported = ", ".join(f"'{each}'" for each in ROLES[:-1])
        raise invalid_request(
            f"Invalid value: '{role}'. Supported values are: {supported}, and '{ROLES[-1]}'.",
            param=f"{param}.role",
            code="invalid_value",
        )
    content = message.get("content")
    if isinstance(content, str):
        return role, content
    if isinstance(content, list):
        return role, " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if content is None and role == "assistant":  # a message that calls tools has no content
        return role, ""
    raise wrong_type(f"{param}.content", "a string or an array", content)


def _echo(text: str, limit: int | None) -> _Choice:
    answer = tokens(f"You said: {text[:ECHO_LENGTH]}")
    cut = limit is not None and len(answer) > limit
    return _Choice(answer[:limit], "length" if cut else "stop")


def _id(prefix: str, model: ModelDeployment, body: Json) -> str:
    return prefix + hashlib.sha256(json.dumps([model.name, body], sort_keys=True).encode()).hexdigest()[:29]


def _streams(body: Json) -> bool:
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise wrong_type("stream", "a boolean", stream)
    if body.get("stream_options") is not None and not stream:
        raise invalid_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    return stream


def _includes_usage(body: Json) -> bool:
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise wrong_type("stream_options", "an object", options)
    return options.get("include_usage") is True


def _chat_events(generation: _Generation, *, include_usage: bool) -> list[Json]:
    choices = []
    for index, choice in enumerate(generation.choices):
        choices.append(_chat_delta(index, {"role": "assistant", "content": "", "refusal": None}, filters={}))
        choices += [_chat_delta(index, {"content": token}, filters=_SEVERITIES) for token in choice.tokens]
        choices.append(_chat_delta(index, {}, filters={}, finish_reason=choice.finish_reason))
    return _events(generation, "chat.completion.chunk", choices, include_usage=include_usage)


def _chat_delta(index: int, delta: Json, *, filters: Json, finish_reason: str | None = None) -> Json:
    return {
        "index": index,
        "delta": delta,
        "finish_reason": finish_reason,
        "logprobs": None,
        "content_filter_results": filters,
    }


def _completion_events(generation: _Generation, *, include_usage: bool) -> list[Json]:
    choices = []
    for index, choice in enumerate(generation.choices):
        choices += [_completion_choice(index, token) for token in choice.tokens]
        choices.append(_completion_choice(index, "", choice.finish_reason))
    return _events(generation, "text_completion", choices, include_usage=include_usage)


def _completion_choice(index: int, text: str, finish_reason: str | None = None) -> Json:
    return {
        "index": index,
        "text": text,
        "finish_reason": finish_reason,
        "logprobs": None,
        "content_filter_results": _SEVERITIES,
    }


def _events(generation: _Generation, kind: str, choices: list[Json], *, include_usage: bool) -> list[Json]:
    """Events of a stream: Azure's opening one about the prompt, one for each choice's piece, and the usage."""
    opening = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [],
        "prompt_filter_results": generation.prompt_filter_results(),
    }
    pending_usage = {"usage": None} if include_usage else {}
    events = [opening, *({**generation.envelope(kind, [choice]), **pending_usage} for choice in choices)]
    if include_usage:
        events.append({**generation.envelope(kind, []), "usage": generation.usage()})
    return events
