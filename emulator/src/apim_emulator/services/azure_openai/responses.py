"""Responses: created, whole or as a stream or in the background, and kept for later.

Bodies and events are those of the v1 API's OpenAPI document. What is kept is bounded: the oldest goes first.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai.exceptions import invalid_request, response_not_found
from apim_emulator.services.azure_openai.generation import (
    Answer,
    Format,
    Reply,
    Stream,
    check_effort,
    check_sampling,
    check_size,
    derived_id,
    image_tokens,
    model_id,
    read_schema,
    reply,
    streams,
)
from apim_emulator.services.azure_openai.parameters import (
    Json,
    array,
    invalid_value,
    lacking,
    missing,
    optional,
    refuse_others,
    text,
    tokens,
    whole_number,
    wrong_type,
)
from apim_emulator.services.azure_openai.tools import Tools, response_tools

MAX_RESPONSES = 1000
"""Responses that are kept."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of requests and responses that are kept."""

BACKGROUND_SECONDS = 2
"""How long a response in the background takes, by the emulator's clock."""

_MIN_OUTPUT = 16
_MAX_METADATA = 16
OFFERED = frozenset(
    {
        "background",
        "input",
        "instructions",
        "max_output_tokens",
        "metadata",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "truncation",
        "user",
    }
)
LACKED: Mapping[str, object] = {
    "conversation": None,
    "include": [],
    "max_tool_calls": None,
    "prompt": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "auto",
    "top_logprobs": 0,
}
"""Parameters that Azure takes, and what asks for nothing (`AzureCreateResponse`, newer ones beside)."""

_LACKED_ITEMS = frozenset(
    {
        "code_interpreter_call",
        "computer_call",
        "computer_call_output",
        "file_search_call",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "reasoning",
        "web_search_call",
    }
)
_LACKED_PARTS = frozenset({"input_audio", "input_file", "output_audio"})
_ROLES = ("assistant", "system", "developer", "user")


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of the input."""

    resource: Json
    """As it is listed."""
    text: str
    images: int = 0
    """Tokens of its images."""

    @property
    def size(self) -> int:
        return len(tokens(self.text)) + self.images + 3


@dataclass(slots=True)
class StoredResponse:
    """A response that is kept."""

    body: Json
    """As it is once it is complete."""
    input: list[Json]
    context_tokens: int
    """Tokens of the conversation up to here."""
    waiting: frozenset[str]
    """IDs of calls that have no output yet."""
    ready: float
    """When it is complete."""
    size: int
    """Bytes that it counts for."""
    cancelled: bool = False

    def view(self, now: float) -> Json:
        """Response as it is at a time."""
        if self.cancelled:
            return _without_output(self.body, "cancelled")
        return self.body if now >= self.ready else _without_output(self.body, "in_progress")


@dataclass(slots=True)
class ResponseStore:
    """Responses of all accounts."""

    _responses: OrderedDict[tuple[str, str], StoredResponse] = field(default_factory=OrderedDict)
    _size: int = 0
    _created: int = 0

    def next_number(self) -> int:
        """Return a number that sets apart responses to equal requests."""
        self._created += 1
        return self._created

    def add(self, account_id: str, response: StoredResponse) -> None:
        """Keep a response; the oldest go where there are too many."""
        self._responses[account_id, response.body["id"]] = response
        self._size += response.size
        while len(self._responses) > MAX_RESPONSES or self._size > MAX_BYTES:
            _, oldest = self._responses.popitem(last=False)
            self._size -= oldest.size

    def find(self, account_id: str, response_id: str) -> StoredResponse | None:
        """Find a response of an account."""
        return self._responses.get((account_id, response_id))

    def remove(self, account_id: str, response_id: str) -> bool:
        """Forget a response; False if there is none."""
        removed = self._responses.pop((account_id, response_id), None)
        self._size -= removed.size if removed else 0
        return removed is not None


@dataclass(frozen=True, slots=True)
class Stored:
    """The responses of one account."""

    store: ResponseStore
    account_id: str
    now: int

    def create(self, model: ModelDeployment, body: Json) -> Answer:
        """Respond to an input."""
        refuse_others(body, OFFERED, LACKED)
        check_sampling(body, model)
        tools = response_tools(body)
        form = _format(body)
        store = optional(body, "store", bool, "a boolean") is not False
        background = bool(optional(body, "background", bool, "a boolean"))
        streamed = streams(body)
        if background and not store:
            raise invalid_request("Background responses require 'store' to be true.", param="background")
        if background and streamed:
            raise lacking("stream")
        response_id = derived_id("resp_", self.account_id, self.store.next_number(), body)
        items = _items(response_id, body, model)
        previous = self._previous(body)
        _check_calls(previous.waiting if previous else frozenset(), items)
        limit = whole_number(body, "max_output_tokens", at_least=_MIN_OUTPUT)
        said = _reply(items, form, tools, limit)
        check_size([said])
        instructions = optional(body, "instructions", str, "a string")
        context = (previous.context_tokens if previous else 0) + sum(item.size for item in items)
        given = context + (len(tokens(instructions)) + 3 if instructions else 0) + 3
        output = _output(response_id, said)
        whole = {
            **_settings(body, model, tools),
            "id": response_id,
            "object": "response",
            "created_at": self.now,
            "status": "incomplete" if said.cut else "completed",
            "background": background,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if said.cut else None,
            "output": output,
            "usage": {
                "input_tokens": given,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": said.size,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": given + said.size,
            },
        }
        if store:
            given_items = [item.resource for item in items]
            kept = StoredResponse(
                body=whole,
                input=[*previous.input, *previous.body["output"], *given_items] if previous else given_items,
                context_tokens=context + said.size,
                waiting=frozenset(item["call_id"] for item in output if item["type"] == "function_call"),
                ready=self.now + (BACKGROUND_SECONDS if background else 0),
                size=len(json.dumps([whole, given_items])) + (previous.size if previous else 0),
            )
            self.store.add(self.account_id, kept)
        if background:
            return _without_output(whole, "queued")
        return _stream(whole, said, obfuscate=_obfuscates(body)) if streamed else whole

    def get(self, response_id: str, query: Mapping[str, str]) -> Json:
        """Return a response."""
        for name in ("starting_after", "include", "include[]", "include[0]"):
            if name in query:
                raise lacking(name)
        if query.get("stream", "false") != "false":
            raise lacking("stream")
        return self._found(response_id).view(self.now)

    def delete(self, response_id: str) -> Json:
        """Forget a response."""
        if not self.store.remove(self.account_id, response_id):
            raise response_not_found(response_id)
        return {"id": response_id, "object": "response.deleted", "deleted": True}

    def cancel(self, response_id: str) -> Json:
        """Cancel a response in the background; a second time changes nothing."""
        found = self._found(response_id)
        if not found.body["background"]:
            raise invalid_request("Cannot cancel a synchronous response.")
        if self.now >= found.ready and not found.cancelled:
            whole = found.body["status"] == "completed"
            ended = "a completed response" if whole else "a response in terminal state"
            raise invalid_request(f"Cannot cancel {ended}.", param="response_id")
        found.cancelled = True
        return found.view(self.now)

    def input_items(self, response_id: str, query: Mapping[str, str]) -> Json:
        """List the items that a response was made from, those of the responses before it among them."""
        for name in ("before", "include", "include[]", "include[0]"):
            if name in query:
                raise lacking(name)
        items = self._found(response_id).input
        order = query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid_value("order", order, ("asc", "desc"))
        limit = query.get("limit", "20")
        if not limit.isascii() or not limit.isdigit() or len(limit) > 3 or not 1 <= int(limit) <= 100:
            raise invalid_request("Invalid 'limit': expected a whole number from 1 to 100.", param="limit")
        if order == "desc":
            items = items[::-1]
        if "after" in query:
            place = next((index for index, item in enumerate(items) if item["id"] == query["after"]), None)
            if place is None:
                raise invalid_request(f"No item has the ID '{query['after']:.100}'.", param="after")
            items = items[place + 1 :]
        page = items[: int(limit)]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else "",
            "last_id": page[-1]["id"] if page else "",
            "has_more": len(items) > len(page),
        }

    def _found(self, response_id: str) -> StoredResponse:
        found = self.store.find(self.account_id, response_id)
        if found is None:
            raise response_not_found(response_id)
        return found

    def _previous(self, body: Json) -> StoredResponse | None:
        previous_id = optional(body, "previous_response_id", str, "a string")
        if previous_id is None:
            return None
        found = self.store.find(self.account_id, previous_id)
        if found is None or found.cancelled or self.now < found.ready:
            raise invalid_request(
                f"Previous response with id '{previous_id:.100}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return found


def _without_output(body: Json, status: str) -> Json:
    rest = {name: value for name, value in body.items() if name != "usage"}
    return {**rest, "status": status, "output": [], "incomplete_details": None}


def _settings(body: Json, model: ModelDeployment, tools: Tools) -> Json:
    """Repeat the settings of a request."""
    reasoning = optional(body, "reasoning", dict, "an object") or {}
    refuse_others(reasoning, {"effort"}, {"summary": None, "generate_summary": None}, within="reasoning.")
    check_effort(reasoning.get("effort"), model, "reasoning.effort")
    truncation = body.get("truncation") or "disabled"
    if truncation not in ("auto", "disabled"):
        raise invalid_value("truncation", truncation, ("auto", "disabled"))
    return {
        "model": model_id(model),
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": _metadata(body),
        "parallel_tool_calls": tools.parallel,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "store": body.get("store") is not False,
        "temperature": 1.0 if body.get("temperature") is None else body["temperature"],
        "text": {"format": (body.get("text") or {}).get("format") or {"type": "text"}},
        "tool_choice": "auto" if body.get("tool_choice") is None else body["tool_choice"],
        "tools": list(tools.described),
        "top_p": 1.0 if body.get("top_p") is None else body["top_p"],
        "truncation": truncation,
        "user": optional(body, "user", str, "a string"),
    }


def _metadata(body: Json) -> Json:
    metadata: Json = optional(body, "metadata", dict, "an object") or {}
    if len(metadata) > _MAX_METADATA:
        raise invalid_request(f"Invalid 'metadata': at most {_MAX_METADATA} pairs are allowed.", param="metadata")
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise wrong_type(f"metadata.{name:.64}", "a string", value)
        if len(name) > 64 or len(value) > 512:
            raise invalid_request(
                "Invalid 'metadata': names have 64 characters and values 512 at most.", param=f"metadata.{name:.64}"
            )
    return metadata


def _format(body: Json) -> Format:
    wanted = optional(body, "text", dict, "an object") or {}
    refuse_others(wanted, {"format"}, {"verbosity": "medium"}, within="text.")
    definition = optional(wanted, "format", dict, "an object", within="text.")
    if definition is None:
        return Format()
    kind = text(definition, "type", within="text.format.")
    if kind == "json_schema":
        refuse_others(definition, {"type", "name", "description", "schema", "strict"}, {}, within="text.format.")
        if definition.get("schema") is None:
            raise missing("text.format.schema")
        return read_schema(definition, "text.format", "text.format.schema", "invalid_json_schema")
    if kind not in ("text", "json_object"):
        raise invalid_value("text.format.type", kind, ("text", "json_object", "json_schema"))
    refuse_others(definition, {"type"}, {}, within="text.format.")
    if kind == "json_object" and "json" not in json.dumps([body.get("input"), body.get("instructions")]).lower():
        raise invalid_request(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type"
            " 'json_object'.",
            param="input",
        )
    return Format(kind)


def _obfuscates(body: Json) -> bool:
    options = optional(body, "stream_options", dict, "an object") or {}
    refuse_others(options, {"include_obfuscation"}, {}, within="stream_options.")
    return optional(options, "include_obfuscation", bool, "a boolean", within="stream_options.") is not False


def _items(response_id: str, body: Json, model: ModelDeployment) -> list[_Item]:
    given = body.get("input")
    if given is None:
        raise missing("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    items = array("input", "a string or an array", given)
    return [_item(f"input[{index}]", item, (response_id, index), model) for index, item in enumerate(items)]


def _item(param: str, item: object, place: tuple[str, int], model: ModelDeployment) -> _Item:
    if not isinstance(item, dict):
        raise wrong_type(param, "an object", item)
    kind = "message" if item.get("type") is None else text(item, "type", within=f"{param}.")
    if kind == "message":
        return _message(param, item, place, model)
    if kind in _LACKED_ITEMS:
        raise lacking(f"{param}.type")
    if kind not in ("function_call", "function_call_output"):
        raise invalid_value(f"{param}.type", kind, ("message", "function_call", "function_call_output"))
    optional(item, "id", str, "a string", within=f"{param}.")
    fields = ("call_id", "name", "arguments") if kind == "function_call" else ("call_id", "output")
    refuse_others(item, {"id", "type", "status", *fields}, {}, within=f"{param}.")
    if isinstance(item.get("output"), list):
        raise lacking(f"{param}.output")
    said = {name: text(item, name, within=f"{param}.") for name in fields}
    prefix = "fc_" if kind == "function_call" else "fco_"
    resource = {"id": derived_id(prefix, *place), "type": kind, "status": "completed", **said}
    return _Item(resource, said.get("output") or said.get("arguments", ""))


def _message(param: str, item: Json, place: tuple[str, int], model: ModelDeployment) -> _Item:
    refuse_others(item, {"id", "type", "role", "content", "status"}, {"phase": None}, within=f"{param}.")
    role = text(item, "role", within=f"{param}.")
    if role not in _ROLES:
        raise invalid_value(f"{param}.role", role, _ROLES)
    written = "output_text" if role == "assistant" else "input_text"
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": written, "text": content}]
    if not isinstance(content, list):
        raise wrong_type(f"{param}.content", "a string or an array", content)
    parts, words, images = [], [], 0
    for index, part in enumerate(content):
        where = f"{param}.content[{index}]"
        if not isinstance(part, dict):
            raise wrong_type(where, "an object", part)
        kind = text(part, "type", within=f"{where}.")
        if kind in _LACKED_PARTS:
            raise lacking(f"{where}.type")
        if kind == written:
            lacked: Mapping[str, object] = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
            refuse_others(part, {"type", "text"}, lacked, within=f"{where}.")
            words.append(text(part, "text", within=f"{where}."))
            parts.append({"type": kind, "text": words[-1], **({"annotations": []} if lacked else {})})
        elif kind == "input_image" and role == "user":
            refuse_others(part, {"type", "image_url", "detail"}, {"file_id": None}, within=f"{where}.")
            images += image_tokens(part.get("image_url"), part.get("detail"), f"{where}.image_url", model)
            parts.append({**part, "detail": part.get("detail") or "auto"})
        else:
            supported = (written, "input_image") if role == "user" else (written,)
            raise invalid_value(f"{where}.type", kind, supported)
    resource = {"id": derived_id("msg_", *place), "type": "message", "status": "completed", "role": role}
    return _Item({**resource, "content": parts}, " ".join(words), images)


def _check_calls(waiting: Iterable[str], items: Iterable[_Item]) -> None:
    """Refuse calls without outputs, and outputs without calls."""
    open_calls = set(waiting)
    for item in items:
        call_id = item.resource.get("call_id", "")
        if item.resource["type"] == "function_call":
            open_calls.add(call_id)
        elif item.resource["type"] == "function_call_output":
            if call_id not in open_calls:
                raise invalid_request(
                    f"No tool call found for function call output with call_id {call_id:.100}.", param="input"
                )
            open_calls.discard(call_id)
    if open_calls:
        raise invalid_request(f"No tool output found for function call {min(open_calls):.100}.", param="input")


def _reply(items: Iterable[_Item], form: Format, tools: Tools, limit: int | None) -> Reply:
    last = None
    for item in items:
        if item.resource.get("role") == "user" or item.resource["type"] == "function_call_output":
            last = item
    by_user = last is not None and last.resource["type"] == "message"
    return reply(last.text if last else "", by_user=by_user, form=form, tools=tools, limit=limit)


def _output(response_id: str, said: Reply) -> list[Json]:
    """Items that the model adds; only the last may be cut off."""
    status = "incomplete" if said.cut else "completed"
    if not said.calls:
        part = {"type": "output_text", "text": "".join(said.text), "annotations": [], "logprobs": []}
        message_id = derived_id("msg_", response_id, "output")
        return [{"id": message_id, "type": "message", "status": status, "role": "assistant", "content": [part]}]
    return [
        {
            "id": derived_id("fc_", response_id, number, "output"),
            "type": "function_call",
            "status": status if number == len(said.calls) - 1 else "completed",
            "call_id": derived_id("call_", response_id, number),
            "name": call.name,
            "arguments": "".join(call.arguments),
        }
        for number, call in enumerate(said.calls)
    ]


def _stream(whole: Json, said: Reply, *, obfuscate: bool) -> Stream:
    """Events in the order of the API: each item is added, filled piece by piece and done."""
    started = _without_output(whole, "in_progress")
    events: list[Json] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
    ]
    for index, item in enumerate(whole["output"]):
        place = {"item_id": item["id"], "output_index": index}
        empty: Json = {"content": []} if item["type"] == "message" else {"arguments": ""}
        events.append(
            {
                "type": "response.output_item.added",
                "output_index": index,
                "item": {**item, **empty, "status": "in_progress"},
            }
        )
        if item["type"] == "message":
            place["content_index"] = 0
            (part,) = item["content"]
            events.append({"type": "response.content_part.added", **place, "part": {**part, "text": ""}})
            events += [
                {
                    "type": "response.output_text.delta",
                    **place,
                    "delta": token,
                    "logprobs": [],
                    **_padding(token, obfuscate),
                }
                for token in said.text
            ]
            events += [
                {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []},
                {"type": "response.content_part.done", **place, "part": part},
            ]
        else:
            events += [
                {
                    "type": "response.function_call_arguments.delta",
                    **place,
                    "delta": token,
                    **_padding(token, obfuscate),
                }
                for token in said.calls[index].arguments
            ]
            events.append({"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return Stream([{**event, "sequence_number": number} for number, event in enumerate(events)], typed=True)


def _padding(token: str, obfuscate: bool) -> Json:
    """Characters that make all pieces of a stream equally long."""
    return {"obfuscation": "0" * (16 - len(token))} if obfuscate else {}
