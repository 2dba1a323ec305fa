"""Chat completions: the last message is repeated, answered as JSON, or answered with calls of functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.completions import Generation, finish_reason, includes_usage
from apim_emulator.services.azure_openai.exceptions import invalid_request
from apim_emulator.services.azure_openai.generation import (
    SEVERITIES,
    Answer,
    Format,
    FunctionCall,
    Reply,
    Stream,
    check_effort,
    check_sampling,
    completion_limit,
    derived_id,
    image_tokens,
    model_id,
    read_schema,
    read_stops,
    reply,
    streams,
)
from apim_emulator.services.azure_openai.parameters import (
    Json,
    array,
    lacking,
    missing,
    optional,
    refuse_others,
    text,
    tokens,
    unrecognized,
    whole_number,
    wrong_type,
)
from apim_emulator.services.azure_openai.tools import Tools, chat_tools

ROLES = ("system", "assistant", "user", "function", "tool", "developer")

OFFERED = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
LACKED: Mapping[str, object] = {
    "audio": None,
    "data_sources": None,
    "frequency_penalty": 0,
    "function_call": None,
    "functions": None,
    "logit_bias": {},
    "logprobs": False,
    "metadata": {},
    "modalities": ["text"],
    "prediction": None,
    "presence_penalty": 0,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "auto",
    "store": False,
    "top_logprobs": 0,
    "user_security_context": None,
    "verbosity": "medium",
}
"""Parameters that Azure takes, and what asks for nothing (`AzureCreateChatCompletionRequest`, newer ones beside)."""

_OF_ROLE = {
    "system": {"name"},
    "developer": {"name"},
    "user": {"name"},
    "assistant": {"name", "refusal", "tool_calls"},
    "tool": {"tool_call_id"},
    "function": {"name"},
}
_PARTS = {"system": {"text"}, "developer": {"text"}, "user": {"text", "image_url"}, "assistant": {"text", "refusal"}}
_LACKED_PARTS = frozenset({"file", "input_audio"})


@dataclass(frozen=True, slots=True)
class _Message:
    """A message, as far as it counts."""

    role: str
    text: str
    images: int
    """Tokens of its images."""
    calls: tuple[str, ...] = ()
    """IDs of the calls that it makes."""
    answers: str = ""
    """ID of the call that it answers."""


def chat_completion(model: ModelDeployment, body: Json, now: int) -> Answer:
    """Answer a chat."""
    refuse_others(body, OFFERED, LACKED, refusal=unrecognized)
    if body.get("messages") is None:
        raise missing("messages")
    messages = [
        _message(f"messages[{index}]", message, model)
        for index, message in enumerate(array("messages", "an array of objects", body["messages"]))
    ]
    _check_calls(messages)
    check_sampling(body, model)
    check_effort(body.get("reasoning_effort"), model, "reasoning_effort")
    optional(body, "seed", int, "an integer")
    optional(body, "user", str, "a string")
    tools = chat_tools(body)
    last = next((each for each in reversed(messages) if each.role in ("user", "tool", "function")), None)
    answer = reply(
        last.text if last else "",
        by_user=last is not None and last.role == "user",
        form=_format(body, messages),
        tools=tools,
        limit=completion_limit(body, model),
        stops=read_stops(body, model),
    )
    generation = Generation(
        id=derived_id("chatcmpl-", model.name, body),
        created=now,
        model=model_id(model),
        replies=[answer] * (whole_number(body, "n", at_most=128) or 1),
        prompts=1,
        # three tokens frame each message and three more begin the answer
        prompt_tokens=sum(len(tokens(each.text)) + each.images + 3 for each in messages) + 3,
    )
    if streams(body):
        return _stream(generation, tools, include_usage=includes_usage(body))
    choices = [
        {
            "index": index,
            "message": _said(generation, index, each),
            "finish_reason": _finish_reason(each, tools),
            "logprobs": None,
            "content_filter_results": {} if each.calls else SEVERITIES,
        }
        for index, each in enumerate(generation.replies)
    ]
    return generation.answer("chat.completion", choices)


def _message(param: str, message: object, model: ModelDeployment) -> _Message:
    if not isinstance(message, dict):
        raise wrong_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing(f"{param}.role")
    if role not in ROLES:
        supported = ", ".join(f"'{each}'" for each in ROLES[:-1])
        raise invalid_request(
            f"Invalid value: '{role!s:.100}'. Supported values are: {supported}, and '{ROLES[-1]}'.",
            param=f"{param}.role",
            code="invalid_value",
        )
    lacked: Mapping[str, object] = (
        {"audio": None, "function_call": None, "annotations": []} if role == "assistant" else {}
    )
    refuse_others(message, {"role", "content", *_OF_ROLE[role]}, lacked, within=f"{param}.")
    for field in ("name", "refusal"):
        optional(message, field, str, "a string", within=f"{param}.")
    calls = _calls(message, param) if message.get("tool_calls") is not None else ()
    answers = text(message, "tool_call_id", within=f"{param}.") if role == "tool" else ""
    content = message.get("content")
    if isinstance(content, str):
        return _Message(role, content, 0, calls, answers)
    if isinstance(content, list):
        words, images = [], 0
        for index, part in enumerate(content):
            said, seen = _part(f"{param}.content[{index}]", part, role, model)
            words += said
            images += seen
        return _Message(role, " ".join(words), images, calls, answers)
    if content is None and role == "assistant":  # a message that calls tools has no content
        return _Message(role, "", 0, calls)
    raise wrong_type(f"{param}.content", "a string or an array", content)


def _part(param: str, part: object, role: str, model: ModelDeployment) -> tuple[list[str], int]:
    """Words of a part of a message, and the tokens of its image."""
    if not isinstance(part, dict):
        raise wrong_type(param, "an object", part)
    kind = text(part, "type", within=f"{param}.")
    if kind in _LACKED_PARTS:
        raise lacking(f"{param}.type")
    if kind not in _PARTS.get(role, {"text"}):
        supported = " and ".join(f"'{each}'" for each in sorted(_PARTS.get(role, {"text"})))
        raise invalid_request(
            f"Invalid value: '{kind:.100}'. Supported values are: {supported}.",
            param=f"{param}.type",
            code="invalid_value",
        )
    refuse_others(part, {"type", kind}, {}, within=f"{param}.")
    if kind != "image_url":
        return [text(part, kind, within=f"{param}.")], 0
    image = part.get("image_url")
    if not isinstance(image, dict):
        raise wrong_type(f"{param}.image_url", "an object", image)
    refuse_others(image, {"url", "detail"}, {}, within=f"{param}.image_url.")
    return [], image_tokens(image.get("url"), image.get("detail"), f"{param}.image_url.url", model)


def _calls(message: Json, param: str) -> tuple[str, ...]:
    """IDs of the calls of an assistant's message."""
    found = []
    for index, call in enumerate(array(f"{param}.tool_calls", "an array of objects", message["tool_calls"])):
        place = f"{param}.tool_calls[{index}]"
        if not isinstance(call, dict):
            raise wrong_type(place, "an object", call)
        refuse_others(call, {"id", "type", "function"}, {}, within=f"{place}.")
        if text(call, "type", within=f"{place}.") != "function":
            raise lacking(f"{place}.type")
        function = call.get("function")
        if not isinstance(function, dict):
            raise wrong_type(f"{place}.function", "an object", function)
        for field in ("name", "arguments"):
            text(function, field, within=f"{place}.function.")
        found.append(text(call, "id", within=f"{place}."))
    return tuple(found)


def _check_calls(messages: Iterable[_Message]) -> None:
    """Refuse calls without answers, and answers without calls."""
    waiting: dict[str, None] = {}
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.answers not in waiting:
                raise invalid_request(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with"
                    " 'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            del waiting[message.answers]
            continue
        _check_answered(waiting)
        waiting = dict.fromkeys(message.calls)
    _check_answered(waiting)


def _check_answered(waiting: Iterable[str]) -> None:
    if missing_answers := ", ".join(waiting):
        raise invalid_request(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            " 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {missing_answers:.500}",
            param="messages",
        )


def _format(body: Json, messages: Iterable[_Message]) -> Format:
    wanted = optional(body, "response_format", dict, "an object")
    if wanted is None:
        return Format()
    kind = text(wanted, "type", within="response_format.")
    if kind == "json_schema":
        refuse_others(wanted, {"type", "json_schema"}, {}, within="response_format.")
        definition = wanted.get("json_schema")
        if definition is None:
            raise missing("response_format.json_schema")
        if not isinstance(definition, dict):
            raise wrong_type("response_format.json_schema", "an object", definition)
        param = "response_format.json_schema"
        refuse_others(definition, {"name", "description", "schema", "strict"}, {}, within=f"{param}.")
        return read_schema(definition, param, "response_format", None)
    if kind not in ("text", "json_object"):
        raise invalid_request(
            f"Invalid value: '{kind:.100}'. Supported values are: 'json_object', 'json_schema', and 'text'.",
            param="response_format.type",
            code="invalid_value",
        )
    refuse_others(wanted, {"type"}, {}, within="response_format.")
    if kind == "json_object" and not any("json" in each.text.lower() for each in messages):
        raise invalid_request(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )
    return Format(kind)


def _said(generation: Generation, index: int, reply: Reply) -> Json:
    if not reply.calls:
        return {"role": "assistant", "content": "".join(reply.text), "refusal": None}
    calls = [
        {**_head(generation, index, number, call), "function": _function(call)}
        for number, call in enumerate(reply.calls)
    ]
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}


def _head(generation: Generation, index: int, number: int, call: FunctionCall) -> Json:
    return {"id": derived_id("call_", generation.id, index, number, call.name), "type": "function"}


def _function(call: FunctionCall) -> Json:
    return {"name": call.name, "arguments": "".join(call.arguments)}


def _finish_reason(reply: Reply, tools: Tools) -> str:
    """Why a reply ended; a call that the request names is where it stops anyway."""
    return "tool_calls" if reply.calls and not reply.cut and tools.choice != "named" else finish_reason(reply)


def _stream(generation: Generation, tools: Tools, *, include_usage: bool) -> Stream:
    choices = []
    for index, each in enumerate(generation.replies):
        content = None if each.calls else ""
        choices.append(_delta(index, {"role": "assistant", "content": content, "refusal": None}, filters={}))
        choices += [_delta(index, {"content": token}, filters=SEVERITIES) for token in each.text]
        for number, call in enumerate(each.calls):
            head = _head(generation, index, number, call)
            pieces = [{"index": number, **head, "function": {"name": call.name, "arguments": ""}}]
            pieces += [{"index": number, "function": {"arguments": token}} for token in call.arguments]
            choices += [_delta(index, {"tool_calls": [piece]}, filters={}) for piece in pieces]
        choices.append(_delta(index, {}, filters={}, reason=_finish_reason(each, tools)))
    return generation.stream("chat.completion.chunk", choices, include_usage=include_usage)


def _delta(index: int, delta: Json, *, filters: Json, reason: str | None = None) -> Json:
    return {
        "index": index,
        "delta": delta,
        "finish_reason": reason,
        "logprobs": None,
        "content_filter_results": filters,
    }
