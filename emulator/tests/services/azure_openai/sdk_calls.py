"""Every call of the `openai` client, made against the stand-in, and what happens.

`python -m emulator.tests.services.azure_openai.sdk_calls`, in the repository's folder, writes it to
`emulator/docs/azure-openai.md`.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import openai
import pydantic
from aiohttp.test_utils import TestServer

from apim_emulator.clock import Clock
from apim_emulator.services.azure_openai import (
    AzureOpenAI,
    chat,
    completions,
    embeddings,
    generation,
    json_schema,
    responses,
)
from apim_emulator.services.entra import Entra
from emulator.tests.services.fake_control_plane import KEYS, FakeControlPlane

PAGE = Path(__file__).parents[3] / "docs" / "azure-openai.md"
COMMAND = "python -m emulator.tests.services.azure_openai.sdk_calls"
PREFIX = "/openai/v1"


class Fact(pydantic.BaseModel):
    """A structured output."""

    claim: str
    sure: bool


PLACE = {
    "type": "object",
    "properties": {"place": {"type": "string"}},
    "required": ["place"],
    "additionalProperties": False,
}
NAMES: dict[str, Any] = {
    "ASK": [{"role": "user", "content": "Call get_weather for Paris"}],
    "Fact": Fact,
    "HELLO": [{"role": "user", "content": "Hello"}],
    "IMAGE": [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}}],
        }
    ],
    "TOOLS": [{"type": "function", "function": {"name": "get_weather", "parameters": PLACE}}],
    "FUNCTIONS": [{"type": "function", "name": "get_weather", "parameters": PLACE}],
}
"""What the calls below may name, beside `client`, `first` (a response) and `later` (one in the background)."""

CALLS = (
    "client.models.list()",
    'client.models.retrieve("gpt-4o-2024-11-20")',
    'client.models.retrieve("gpt-5")',
    'client.embeddings.create(model="small", input=["red", "blue"])',
    'client.embeddings.create(model="small", input="red", dimensions=8, encoding_format="base64")',
    'client.chat.completions.create(model="chat", messages=HELLO)',
    'client.chat.completions.create(model="chat", messages=HELLO, stream=True, stream_options={"include_usage": True})',
    'client.chat.completions.create(model="chat", messages=HELLO, n=2, max_completion_tokens=2)',
    'client.chat.completions.create(model="chat", messages=HELLO, stop="Hello", temperature=0.2, seed=7)',
    'client.chat.completions.create(model="chat", messages=IMAGE)',
    'client.chat.completions.create(model="chat", messages=ASK, tools=TOOLS)',
    'client.chat.completions.create(model="chat", messages=ASK, tools=TOOLS, tool_choice="none")',
    'client.chat.completions.create(model="chat", messages=HELLO, tools=TOOLS, tool_choice="required")',
    'client.chat.completions.create(model="chat", messages=ASK, tools=TOOLS, stream=True)',
    'client.chat.completions.parse(model="chat", messages=HELLO, response_format=Fact)',
    'client.chat.completions.stream(model="chat", messages=HELLO, response_format=Fact)',
    'client.chat.completions.create(model="chat", messages=HELLO, logprobs=True)',
    'client.chat.completions.create(model="chat", messages=HELLO, store=True)',
    'client.chat.completions.create(model="chat", messages=HELLO, extra_body={"top_k": 3})',
    'client.chat.completions.create(model="gpt-4o", messages=HELLO)',
    'client.responses.create(model="chat", input="Hello")',
    'client.responses.create(model="chat", input="Hello", stream=True)',
    'client.responses.create(model="chat", input="And now?", previous_response_id=first.id)',
    'client.responses.create(model="chat", input="Hello", previous_response_id="resp_unknown")',
    'client.responses.create(model="chat", input="Call get_weather", tools=FUNCTIONS)',
    'client.responses.create(model="chat", input="Hello", background=True)',
    'client.responses.create(model="chat", input="Hello", tools=[{"type": "web_search_preview"}])',
    'client.responses.parse(model="chat", input="Hello", text_format=Fact)',
    'client.responses.stream(model="chat", input="Hello")',
    "client.responses.retrieve(first.id)",
    "client.responses.retrieve(first.id, stream=True)",
    'client.responses.retrieve("resp_unknown")',
    "client.responses.input_items.list(first.id)",
    "client.responses.cancel(later.id)",
    "client.responses.cancel(first.id)",
    "client.responses.delete(first.id)",
)
"""Calls of what the stand-in offers, in order."""

_ELSEWHERE = frozenset({"admin", "beta", "webhooks"})
"""Resources of the client that are not tried: OpenAI's own administration, previews, and what checks signatures."""

_WRAPPERS = ("poll", "wait", "stream", "upload_and", "connect", "parse", "unwrap", "upload_file_chunked", "download")
"""Parts of names of methods that make other calls, or hold a connection."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call, the request that it made, and what came of it."""

    call: str
    request: str
    answer: str


@asynccontextmanager
async def stand_in() -> AsyncIterator[tuple[openai.AsyncOpenAI, AzureOpenAI]]:
    """Serve an account, and connect a client."""
    directory, clock = FakeControlPlane(), Clock(1_750_000_000)
    service = AzureOpenAI(directory, Entra(directory, clock), clock)
    async with (
        TestServer(service.app) as server,
        openai.AsyncOpenAI(
            base_url=str(server.make_url(PREFIX)), api_key=KEYS[0], admin_api_key=None, max_retries=0
        ) as client,
    ):
        yield client, service


async def offered() -> list[Outcome]:
    """Make the calls of what is offered."""
    async with stand_in() as (client, service):
        first = await client.responses.create(model="chat", input="Hello")
        later = await client.responses.create(model="chat", input="Hello", background=True)
        names = {**NAMES, "client": client, "first": first, "later": later}
        outcomes = []
        for call in CALLS:
            service.received.clear()
            answer = await _answer(call, names)
            outcomes.append(Outcome(call.replace("client.", "", 1), _request(service), answer))
        return outcomes


def methods(client: openai.AsyncOpenAI) -> Iterator[tuple[str, Any]]:
    """Yield the paths of all methods that make one request, and the methods."""
    pending: list[tuple[str, Any]] = [
        (name, getattr(client, name))
        for name, value in vars(openai.AsyncOpenAI).items()
        if _is_resource(name, value) and name not in _ELSEWHERE
    ]
    while pending:
        path, resource = pending.pop(0)
        for name, value in vars(type(resource)).items():
            if _is_resource(name, value):
                pending.append((f"{path}.{name}", getattr(resource, name)))
            elif inspect.isfunction(value) and _makes_a_request(name, value):
                yield f"{path}.{name}", getattr(resource, name)


def _makes_a_request(name: str, method: object) -> bool:
    wraps = any(part in name for part in _WRAPPERS)
    return not name.startswith("_") and not wraps and not hasattr(method, "__deprecated__")


def _is_resource(name: str, value: object) -> bool:
    return isinstance(value, cached_property) and not name.startswith(("with_", "_"))


async def refused() -> list[Outcome]:
    """Make each call that `CALLS` has not, with any arguments."""
    known = {call.partition("(")[0].removeprefix("client.") for call in CALLS}
    async with stand_in() as (client, service):
        outcomes = []
        for path, method in methods(client):
            if path in known:
                continue
            service.received.clear()
            try:
                answer = await _answer("method(**given)", {"method": method, "given": _arguments(method)})
            except TypeError as error:  # of several ways to call it, the client names the first one first
                more = re.findall(r"'(\w+)'", str(error).partition(")")[0])
                answer = await _answer("method(**given)", {"method": method, "given": _arguments(method, more)})
            if service.received:
                outcomes.append(Outcome(path, _request(service), answer))
        return outcomes


def _arguments(method: Any, more: Collection[str] = ()) -> dict[str, Any]:
    """Any values for the arguments that have no default, and for `more`."""
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        required = parameter.default is inspect.Parameter.empty or name in more
        if required and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            is_file = "FileTypes" in str(parameter.annotation) or name == "video"
            found[name] = b"x" if is_file else "x"
    return found


def _request(service: AzureOpenAI) -> str:
    received = service.received[0]
    return f"{received.method} {received.path.removeprefix(PREFIX)}"


async def _answer(call: str, names: Mapping[str, Any]) -> str:
    try:
        result = eval(call, {"__builtins__": {}}, dict(names))  # noqa: S307 - the calls are those above
        if hasattr(result, "__await__"):
            result = await result
        if hasattr(result, "__aenter__") and not isinstance(result, openai.AsyncStream):
            async with result as stream:
                return await _streamed(stream)
        return await _streamed(result) if isinstance(result, openai.AsyncStream) else _described(result)
    except openai.APIStatusError as error:
        body: Any = error.body if isinstance(error.body, dict) else {}
        code = f" `{body['code']}`" if body.get("code") not in (None, str(error.status_code)) else ""
        return f"{error.status_code}{code}: {body.get('message', '')}"


async def _streamed(stream: Any) -> str:
    kinds: dict[str, None] = {}
    async for event in stream:
        kinds[getattr(event, "type", type(event).__name__)] = None
    return "stream of " + ", ".join(f"`{kind}`" for kind in kinds)


def _described(result: Any) -> str:
    if result is None:
        return "nothing, 200"
    name = type(result).__name__.partition("[")[0]
    details = [f"of {len(result.data)}"] if hasattr(result, "has_next_page") else []
    for choice in getattr(result, "choices", [])[:1]:
        calls = [f"{call.function.name}({call.function.arguments})" for call in choice.message.tool_calls or []]
        details += [f"`{choice.finish_reason}`", *(f"`{said}`" for said in (choice.message.content, *calls) if said)]
    if isinstance(result, openai.types.responses.Response):
        said = [result.output_text, *(f"{i.name}({i.arguments})" for i in result.output if i.type == "function_call")]
        details += [f"`{result.status}`", *(f"`{each}`" for each in said if each)]
    return ", ".join([f"`{name}`", *details])


def parameters() -> list[tuple[str, Collection[str], Collection[str]]]:
    """What each operation takes, and what it refuses by name."""
    return [
        ("chat.completions", chat.OFFERED, chat.LACKED),
        ("responses", responses.OFFERED, responses.LACKED),
        ("embeddings", embeddings.OFFERED, embeddings.LACKED),
        ("completions (dated API)", completions.OFFERED, completions.LACKED),
    ]


TEMPLATE = """# Azure OpenAI

`apim_emulator.services.azure_openai` stands in for Azure OpenAI: accounts with their keys and roles, the dated API
below `/openai/deployments/NAME/` and the v1 API below `/openai/v1/`, on each account, whatever its kind. No model runs.
It answers truthfully in form, or it refuses with a 4xx that names what it does not do; it ignores nothing.

`{command}` writes this page by making each call, and
a test holds it current.

## What an answer says

- The last message of the user, or of a tool, is repeated: `You said: Hello`. A token is four characters.
- A function is called if the user's message holds its name; with `tool_choice: required`, the first one if none does.
  With `parallel_tool_calls: false`, one is called. Arguments validate against the function's parameters.
- A structured output validates against its schema. Strings are the first characters of the message, where the schema
  lets them. In strict mode a schema is refused as Azure refuses it; in any mode, if it has a keyword that the stand-in
  cannot obey, such as `pattern`.
- `temperature`, `top_p` and `seed` are checked and change nothing: the stand-in has no chance that they could steer. A
  reasoning model takes the defaults alone, and does not reason.
- One answer has at most {tokens} tokens, and generated JSON {length} characters; a request for more is refused.
- An image is neither fetched nor looked at: it counts for 85 tokens with `detail: low`, otherwise for 765.
- A response is kept for its account, up to {responses} of them and {megabytes} MiB for all accounts, the oldest going
  first. One in the background is ready after {background} seconds of the emulator's clock.

## Who may call

A key in `api-key`, or a Microsoft Entra token for `https://cognitiveservices.azure.com` in `Authorization: Bearer`,
whose principal has *Cognitive Services OpenAI User* or *Contributor* on the account. On the v1 API a bearer that has
not the three parts of a token is a key, as the plain client sends it. `api-version` is not needed there; `v1` and
`preview` are taken, any other value is refused with 400.

## Calls of the `openai` client

Version {version} of the client, `AsyncOpenAI(base_url=".../openai/v1", api_key=KEY)`. `chat` and `small` are
deployments of gpt-4o and text-embedding-3-small; `first` is a response, `later` one in the background.

{offered}

## Calls that are refused

Each call that the client has beside those above. `OperationNotSupported` is what Azure has and the stand-in has not;
`404` is what is no path of Azure's v1 API either, as far as the stand-in knows. Not tried are
`admin`, `beta` and `webhooks`, and what makes several of these calls, such as `create_and_poll`.

{refused}

## Parameters

What is neither taken nor refused by name is refused as unknown. A parameter that is refused by name may have the value
that asks for nothing, such as `logprobs: false`; null is as good as nothing.

{parameters}

## Inferred

No source says, and no test has run against Azure itself: data actions of v1 chat completions, embeddings and
`responses/delete`; the words for a wrong bearer key; the shape of v1 models beside OpenAI's own. Azure's documentation
limits strict mode to 100 properties and five levels; callers have also met 5000 and ten.
"""


async def page() -> str:
    """Text of the page."""
    return TEMPLATE.format(
        command=COMMAND,
        responses=responses.MAX_RESPONSES,
        megabytes=responses.MAX_BYTES // 2**20,
        background=responses.BACKGROUND_SECONDS,
        tokens=generation.MAX_TOKENS,
        length=json_schema.MAX_LENGTH,
        version=openai.__version__,
        offered=_table(("call", "request", "answer"), [_cells(one) for one in await offered()]),
        refused=_table(("resource", "methods", "answer"), _by_resource(await refused())),
        parameters=_table(("operation", "taken", "refused by name"), list(_parameter_rows())),
    )


def _cells(one: Outcome) -> tuple[str, ...]:
    request = one.request
    for word in request.rsplit("/", 2):
        if word.startswith("resp_") and word != "resp_unknown":
            request = request.replace(word, "ID")
    return f"`{one.call}`", f"`{request}`", one.answer


def _by_resource(outcomes: list[Outcome]) -> list[tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in outcomes:
        resource, _, method = one.call.rpartition(".")
        status = one.answer.partition(":")[0]
        found.setdefault((resource, status), []).append(method)
    return [(f"`{name}`", ", ".join(f"`{each}`" for each in tried), status) for (name, status), tried in found.items()]


def _parameter_rows() -> Iterator[tuple[str, ...]]:
    for name, taken, lacked in parameters():
        yield name, ", ".join(f"`{each}`" for each in sorted(taken)), ", ".join(f"`{each}`" for each in sorted(lacked))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
