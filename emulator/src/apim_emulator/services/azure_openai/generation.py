"""What a model says: an echo of what it was told, JSON that validates, or calls of functions."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.exceptions import invalid_request
from apim_emulator.services.azure_openai.json_schema import SchemaError, check_strict, instance
from apim_emulator.services.azure_openai.parameters import (
    Json,
    array,
    at_most,
    decimal,
    invalid_value,
    not_by_model,
    optional,
    tokens,
    whole_number,
    wrong_type,
)
from apim_emulator.services.azure_openai.tools import Tools


@dataclass(frozen=True, slots=True)
class Stream:
    """Events of a stream."""

    events: list[Json]
    typed: bool = False
    """Whether the events have types and the last of them ends the stream, as in Responses; else `[DONE]` does."""


Answer: TypeAlias = Json | Stream
"""A body, or a stream."""

ECHO_LENGTH = 200
"""Characters of the prompt that an answer repeats."""

_SHORT = 40
"""Characters of the prompt in one string of generated JSON."""

MAX_TOKENS = 100_000
"""Tokens of all replies to one request."""

SEVERITIES = {
    category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")
}
"""Results of a content filter that found nothing."""

_REASONING = ("gpt-5", "o1", "o3", "o4")
"""What the names of reasoning models begin with; they bound what they think as well as what they say, by another
parameter ("Azure OpenAI reasoning models"; the words: microsoft/sample-app-aoai-chatGPT #1514)."""

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_WITHOUT_VISION = ("gpt-35", "gpt-3.5", "gpt-4-32k", "o1-mini", "o3-mini")
_MAX_STOPS = 4


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call that the model makes."""

    name: str
    arguments: list[str]
    """Tokens of the JSON text."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, in tokens."""

    text: list[str]
    calls: tuple[FunctionCall, ...] = ()
    cut: bool = False
    """Whether it ran into the limit of tokens."""

    @property
    def size(self) -> int:
        """Tokens of all."""
        return len(self.text) + sum(len(call.arguments) for call in self.calls)


@dataclass(frozen=True, slots=True)
class Format:
    """Form of a reply: text, a JSON object of any kind, or one that a schema describes."""

    kind: str = "text"
    schema: Json | None = None
    name: str = ""
    param: str = ""
    """Where the request has the schema."""
    code: str | None = None
    """Code of a refusal of the schema."""

    def write(self, question: str) -> str:
        """Write a reply to a question."""
        if self.kind == "text":
            return f"You said: {question}"
        if self.kind == "json_object" or self.schema is None:
            return json.dumps({"you_said": question})
        question = question[:_SHORT]
        try:
            return json.dumps(instance(self.schema, question))
        except SchemaError as error:
            raise invalid_request(
                f"Invalid schema for response_format '{self.name}': {error}", param=self.param, code=self.code
            ) from error


def read_schema(definition: Json, param: str, schema_param: str, code: str | None) -> Format:
    """Read name, schema and strictness of a structured output."""
    name = optional(definition, "name", str, "a string", within=f"{param}.")
    if name is None:
        raise invalid_request(
            f"Missing required parameter: '{param}.name'.", param=f"{param}.name", code="missing_required_parameter"
        )
    schema = optional(definition, "schema", dict, "an object", within=f"{param}.")
    optional(definition, "description", str, "a string", within=f"{param}.")
    found = Format("json_schema", schema, f"{name:.100}", schema_param, code)
    if optional(definition, "strict", bool, "a boolean", within=f"{param}."):
        try:
            check_strict(schema)
        except SchemaError as error:
            raise invalid_request(
                f"Invalid schema for response_format '{found.name}': {error}", param=schema_param, code=code
            ) from error
    return found


def reply(
    question: str,
    *,
    by_user: bool = True,
    form: Format | None = None,
    tools: Tools | None = None,
    limit: int | None = None,
    stops: tuple[str, ...] = (),
) -> Reply:
    """Reply to the last message of a conversation, a user's or a tool's."""
    form, tools = form or Format(), tools or Tools()
    words = question[:ECHO_LENGTH]
    left = limit
    calls = []
    for function in tools.called(question, by_user=by_user):
        arguments = tokens(function.arguments(words[:_SHORT]))
        kept = arguments[:left]
        calls.append(FunctionCall(function.name, kept))
        if left is not None:
            left -= len(kept)
            if len(kept) < len(arguments) or left == 0:
                return Reply([], tuple(calls), cut=True)
    if calls:
        return Reply([], tuple(calls))
    said = form.write(words)
    ends = [end for end in (said.find(stop) for stop in stops) if end >= 0]
    text = tokens(said[: min(ends, default=len(said))])
    return Reply(text[:limit], cut=limit is not None and len(text) > limit)


def check_size(replies: Iterable[Reply]) -> None:
    """Refuse a request for more than the stand-in says at once."""
    if sum(each.size for each in replies) > MAX_TOKENS:
        raise invalid_request(f"The stand-in for Azure OpenAI answers with at most {MAX_TOKENS} tokens.")


def read_stops(body: Json, model: ModelDeployment) -> tuple[str, ...]:
    """Sequences that end a reply before they are said."""
    value = body.get("stop")
    if value is None:
        return ()
    if is_reasoning(model):
        raise not_by_model("stop")
    stops: Sequence[object] = [value] if isinstance(value, str) else array("stop", "a string or an array", value)
    at_most("stop", stops, _MAX_STOPS)
    found = []
    for index, stop in enumerate(stops):
        if not isinstance(stop, str):
            raise wrong_type(f"stop[{index}]", "a string", stop)
        if not stop:
            raise invalid_request("Invalid 'stop': a stop sequence cannot be empty.", param="stop")
        found.append(stop)
    return tuple(found)


def check_sampling(body: Json, model: ModelDeployment) -> None:
    """Check what steers chance, of which the stand-in has none; reasoning models take the defaults alone."""
    for param, most in (("temperature", 2), ("top_p", 1)):
        value = decimal(body, param, 0, most)
        if is_reasoning(model) and value not in (None, 1):
            raise invalid_request(
                f"Unsupported value: '{param}' does not support {value} with this model. Only the default (1) value is"
                " supported.",
                param=param,
                code="unsupported_value",
            )


def check_effort(effort: object, model: ModelDeployment, param: str) -> None:
    """Check how much a model is to think; the stand-in does not think."""
    if effort is None:
        return
    if not is_reasoning(model):
        raise not_by_model(param)
    if effort not in _EFFORTS:
        raise invalid_value(param, effort, _EFFORTS)


def is_reasoning(model: ModelDeployment) -> bool:
    """Tell a reasoning model by its name."""
    return model.model.startswith(_REASONING)


def image_tokens(url: object, detail: object, param: str, model: ModelDeployment) -> int:
    """Tokens of an image, which is neither fetched nor looked at: those of its smallest or of a square of 1024 pixels.

    The figures are of "Vision" in OpenAI's documentation, for gpt-4o.
    """
    if model.model.startswith(_WITHOUT_VISION) or model.model == "gpt-4":
        raise invalid_request("Invalid content type. image_url is only supported by certain models.", param=param)
    if not isinstance(url, str):
        raise wrong_type(param, "a string", url)
    if not url.startswith(("https://", "http://", "data:image/")):
        raise invalid_request(
            f"Invalid '{param}': expected the URL of an image, or a data URL.", param=param, code="invalid_value"
        )
    if detail not in (None, "auto", "low", "high"):
        raise invalid_value(f"{param.rpartition('.')[0]}.detail", detail, ("auto", "low", "high"))
    return 85 if detail == "low" else 765


def completion_limit(body: Json, model: ModelDeployment) -> int | None:
    """Limit of the tokens of a chat completion."""
    if body.get("max_tokens") is not None and is_reasoning(model):
        raise invalid_request(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    return whole_number(body, "max_completion_tokens") or whole_number(body, "max_tokens")


def usage(prompt_tokens: int, completion_tokens: int) -> Json:
    """Tokens that a request took."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def model_id(model: ModelDeployment) -> str:
    """Name of a model with its version, as answers and the list of models give it."""
    return f"{model.model}-{model.version}" if model.version else model.model


def derived_id(prefix: str, *parts: object) -> str:
    """ID that depends on its parts alone."""
    return prefix + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:29]


def streams(body: Json) -> bool:
    """Whether the answer is to be streamed."""
    stream = body.get("stream") or False
    if not isinstance(stream, bool):
        raise wrong_type("stream", "a boolean", stream)
    if body.get("stream_options") is not None and not stream:
        raise invalid_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    return stream
