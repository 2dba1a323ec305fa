"""Responses as the plain `openai` client and plain HTTP see them."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import jsonschema
import openai
import pydantic
import pytest
from aiohttp import ClientSession

from apim_emulator.clock import Clock
from apim_emulator.services.azure_openai import OPENAI_USER, responses
from apim_emulator.services.azure_openai.responses import BACKGROUND_SECONDS
from apim_emulator.services.entra import Entra
from emulator.tests.services.azure_openai import official
from emulator.tests.services.fake_control_plane import ACCOUNT, ACCOUNT_ID, IDENTITY, KEYS, FakeControlPlane

pytestmark = pytest.mark.slow

HEADERS = {"api-key": KEYS[0]}
PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {"place": {"type": "string"}},
    "required": ["place"],
    "additionalProperties": False,
}
TOOLS: Any = [
    {"type": "function", "name": "get_weather", "parameters": PLACE, "strict": True},
    {"type": "function", "name": "get_time", "parameters": {"type": "object"}},
]


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        yield client


async def create(client: Any, given: Any = "Hello", **body: Any) -> Any:
    return await client.responses.create(model="chat", input=given, **body)


async def call(http: ClientSession, endpoint: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    async with http.request(method, f"{endpoint}openai/v1/{path}", data=data, headers=HEADERS) as response:
        return response.status, await response.json()


async def test_an_input_is_answered_counted_and_repeated(client: Any, clock: Clock) -> None:
    answer = await create(client, instructions="Be brief", metadata={"team": "a"}, temperature=0.5, user="ada")

    assert (answer.output_text, answer.status) == ("You said: Hello", "completed")
    assert (answer.model, answer.created_at) == ("gpt-4o-2024-11-20", int(clock.now()))
    assert (answer.instructions, answer.metadata, answer.temperature) == ("Be brief", {"team": "a"}, 0.5)
    assert answer.usage.input_tokens == (2 + 3) + (2 + 3) + 3
    assert answer.usage.output_tokens == 4
    assert answer.usage.total_tokens == answer.usage.input_tokens + 4


async def test_equal_requests_get_responses_of_their_own(client: Any) -> None:
    first, second = await create(client), await create(client)

    assert first.output_text == second.output_text
    assert first.id != second.id


async def test_a_response_is_kept_until_it_is_deleted(client: Any) -> None:
    created = await create(client)
    found = await client.responses.retrieve(created.id)
    await client.responses.delete(created.id)

    assert found == created
    with pytest.raises(openai.NotFoundError) as refusal:
        await client.responses.retrieve(created.id)
    assert refusal.value.body == {
        "message": f"Response with id '{created.id}' not found.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


async def test_a_response_is_not_kept_on_request(client: Any) -> None:
    created = await create(client, store=False)

    assert created.store is False
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(created.id)
    with pytest.raises(openai.BadRequestError):
        await create(client, previous_response_id=created.id)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")],
    ids=["get", "delete", "cancel", "input items"],
)
async def test_an_unknown_response_is_not_found(http: ClientSession, endpoint: str, method: str, path: str) -> None:
    status, body = await call(http, endpoint, method, f"responses/resp_unknown{path}")

    assert (status, body["error"]["message"]) == (404, "Response with id 'resp_unknown' not found.")


async def test_another_account_does_not_have_the_response(
    client: Any, http: ClientSession, endpoint: str, directory: FakeControlPlane
) -> None:
    other = replace(ACCOUNT, id=f"{ACCOUNT_ID}-other", host="other.openai.azure.com")
    directory.openai = [ACCOUNT, other]
    created = await create(client)
    async with http.get(
        f"{endpoint}openai/v1/responses/{created.id}", headers={**HEADERS, "Host": other.host}
    ) as response:
        assert response.status == 404
    assert (await client.responses.retrieve(created.id)).id == created.id


async def test_a_conversation_goes_on_and_is_counted_as_a_whole(client: Any) -> None:
    first = await create(client)
    second = await create(client, "And now?", previous_response_id=first.id)
    third = await create(client, "Really?", previous_response_id=second.id)

    assert second.output_text == "You said: And now?"
    assert second.usage.input_tokens == first.usage.input_tokens + first.usage.output_tokens + 2 + 3
    history = [item async for item in client.responses.input_items.list(third.id, order="asc")]
    assert [item.content[0].text for item in history] == [
        "Hello",
        "You said: Hello",
        "And now?",
        "You said: And now?",
        "Really?",
    ]
    assert third.usage.input_tokens == second.usage.input_tokens + second.usage.output_tokens + 2 + 3


async def test_input_items_are_listed_page_by_page(client: Any) -> None:
    given: Any = [{"role": "user", "content": f"Number {number}"} for number in range(5)]
    created = await create(client, given)

    newest = [item async for item in client.responses.input_items.list(created.id)]
    oldest = [item async for item in client.responses.input_items.list(created.id, order="asc", limit=2)]
    assert [item.content[0].text for item in newest] == [f"Number {number}" for number in (4, 3, 2, 1, 0)]
    assert oldest == newest[::-1]


async def test_a_function_is_called_and_answered(client: Any) -> None:
    first = await create(client, "get_weather in Paris", tools=TOOLS)
    (asked,) = first.output
    result: Any = [{"type": "function_call_output", "call_id": asked.call_id, "output": "Sunny"}]
    second = await create(client, result, tools=TOOLS, previous_response_id=first.id)
    without_state = await create(client, [{"role": "user", "content": "x"}, asked, *result], tools=TOOLS)

    assert (asked.type, asked.name) == ("function_call", "get_weather")
    jsonschema.validate(json.loads(asked.arguments), PLACE)
    assert second.output_text == without_state.output_text == "You said: Sunny"


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("auto", ["get_weather", "get_time"]),
        ("required", ["get_weather", "get_time"]),
        ({"type": "function", "name": "get_time"}, ["get_time"]),
    ],
    ids=["none", "auto", "required", "named"],
)
async def test_functions_are_called_as_the_request_chooses(client: Any, choice: Any, called: list[str]) -> None:
    answer = await create(client, "get_weather and get_time", tools=TOOLS, tool_choice=choice)

    assert [item.name for item in answer.output if item.type == "function_call"] == called
    assert [tool.strict for tool in answer.tools] == [True, False]
    one = await create(client, "get_weather, get_time", tools=TOOLS, tool_choice=choice, parallel_tool_calls=False)
    assert len(one.output) == 1


class Fact(pydantic.BaseModel):
    claim: str
    sure: bool


async def test_a_structured_output_is_parsed_by_the_client(client: Any) -> None:
    answer = await client.responses.parse(model="chat", input="The sky is blue", text_format=Fact)

    assert answer.output_parsed == Fact(claim="The sky is blue", sure=True)


async def test_images_are_counted_and_listed(client: Any) -> None:
    image = {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "low"}
    plain = await create(client)
    seen = await create(client, [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}, image]}])
    (item,) = (await client.responses.input_items.list(seen.id)).data

    assert seen.usage.input_tokens - plain.usage.input_tokens == 85
    assert item.model_dump()["content"][1]["image_url"] == image["image_url"]


async def test_a_stream_has_the_events_of_the_api_in_order(client: Any) -> None:
    events = [event async for event in await create(client, stream=True)]

    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 4,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "You said: Hello"
    assert (events[0].response.status, events[0].response.usage) == ("in_progress", None)
    assert events[-1].response == await client.responses.retrieve(events[-1].response.id)


async def test_calls_are_streamed_in_pieces(client: Any) -> None:
    async with client.responses.stream(model="chat", input="get_weather and get_time", tools=TOOLS) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()

    pieces = ["", ""]
    for event in events:
        if event.type == "response.function_call_arguments.delta":
            pieces[event.output_index] += event.delta
    assert pieces == [item.arguments for item in final.output if item.type == "function_call"]


async def test_a_stream_is_named_by_event_and_ends_with_its_last(http: ClientSession, endpoint: str) -> None:
    body = {"model": "chat", "input": "Hello", "stream": True, "stream_options": {"include_obfuscation": False}}
    async with http.post(f"{endpoint}openai/v1/responses", json=body, headers=HEADERS) as response:
        text = await response.text()

    *events, rest = text.split("\n\n")
    assert rest == ""
    for event in events:
        name, _, data = event.partition("\ndata: ")
        assert name == f"event: {json.loads(data)['type']}"
    assert "obfuscation" not in text
    assert "[DONE]" not in text


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_response_that_ran_into_the_limit_is_incomplete(client: Any, *, streamed: bool) -> None:
    text = "x" * 200
    answer = await create(client, text, max_output_tokens=16, stream=streamed)
    if streamed:
        answer = [event async for event in answer][-1]
        assert answer.type == "response.incomplete"
        answer = answer.response

    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (len(answer.output_text), answer.usage.output_tokens) == (64, 16)


async def test_a_response_in_the_background_takes_its_time(client: Any, clock: Clock) -> None:
    created = await create(client, background=True)
    early = await client.responses.retrieve(created.id)
    with pytest.raises(openai.BadRequestError, match="not found"):
        await create(client, previous_response_id=created.id)
    clock.advance(BACKGROUND_SECONDS)
    late = await client.responses.retrieve(created.id)

    assert (created.status, early.status, late.status) == ("queued", "in_progress", "completed")
    assert (created.output, early.output, late.output_text) == ([], [], "You said: Hello")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a completed response"):
        await client.responses.cancel(created.id)


async def test_a_response_in_the_background_is_cancelled_for_good(client: Any, clock: Clock) -> None:
    created = await create(client, background=True)
    cancelled = await client.responses.cancel(created.id)
    clock.advance(BACKGROUND_SECONDS)

    assert (cancelled.status, cancelled.output) == ("cancelled", [])
    assert await client.responses.cancel(created.id) == cancelled
    assert await client.responses.retrieve(created.id) == cancelled


async def test_a_response_that_was_cut_off_is_not_cancelled(client: Any, clock: Clock) -> None:
    created = await create(client, "x" * 100, background=True, max_output_tokens=16)
    clock.advance(BACKGROUND_SECONDS)

    with pytest.raises(openai.BadRequestError, match="Cannot cancel a response in terminal state"):
        await client.responses.cancel(created.id)


async def test_a_response_that_is_made_at_once_cannot_be_cancelled(client: Any) -> None:
    created = await create(client)

    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await client.responses.cancel(created.id)


async def test_the_oldest_responses_go_first(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MAX_RESPONSES", 2)
    first, second, third = [await create(client) for _ in range(3)]
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(first.id)
    assert (await client.responses.retrieve(second.id)).id == second.id

    monkeypatch.setattr(responses, "MAX_BYTES", 5000)
    large = await create(client, "x" * 3000)
    assert (await client.responses.retrieve(large.id)).id == large.id
    for gone in (second, third):
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(gone.id)
    await client.responses.delete(large.id)
    kept = [await create(client) for _ in range(2)]
    assert [(await client.responses.retrieve(each.id)).id for each in kept] == [each.id for each in kept]


async def test_a_token_needs_the_data_action_of_responses(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra
) -> None:
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://cognitiveservices.azure.com")
    url, headers = f"{endpoint}openai/v1/responses", {"Authorization": f"Bearer {token}"}
    body = {"model": "chat", "input": "Hello"}
    async with http.post(url, json=body, headers=headers) as response:
        refusal = await response.json()
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    async with http.post(url, json=body, headers=headers) as response:
        assert response.status == 200

    assert refusal["error"]["message"].endswith(
        "lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform "
        "`POST /openai/v1/responses` operation."
    )


def says(*parts: Any, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": list(parts)}]


def form(schema: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "name": "x", "schema": schema, "strict": True}}


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        pytest.param({"input": None}, "input", "Missing", id="no input"),
        pytest.param({"input": []}, "input", "empty array", id="empty input"),
        pytest.param({"input": ["x"]}, "input[0]", "an object", id="no item"),
        pytest.param({"n": 2}, "n", "Unknown parameter: 'n'", id="unknown"),
        pytest.param({"messages": []}, "messages", "Unknown", id="of chat"),
        pytest.param({"conversation": "conv_1"}, "conversation", "stand-in", id="conversation"),
        pytest.param({"prompt": {"id": "x"}}, "prompt", "stand-in", id="prompt"),
        pytest.param({"include": ["reasoning.encrypted_content"]}, "include", "stand-in", id="include"),
        pytest.param({"max_tool_calls": 1}, "max_tool_calls", "stand-in", id="tool calls"),
        pytest.param({"top_logprobs": 2}, "top_logprobs", "stand-in", id="logprobs"),
        pytest.param({"reasoning": {"summary": "auto"}}, "reasoning.summary", "stand-in", id="summary"),
        pytest.param({"reasoning": {"effort": "low"}}, "reasoning.effort", "with this model", id="effort"),
        pytest.param({"text": {"verbosity": "low"}}, "text.verbosity", "stand-in", id="verbosity"),
        pytest.param({"tools": [{"type": "web_search_preview"}]}, "tools[0].type", "stand-in", id="web search"),
        pytest.param({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0].type", "stand-in", id="mcp"),
        pytest.param({"tools": TOOLS, "tool_choice": {"type": "mcp"}}, "tool_choice.type", "stand-in", id="mcp choice"),
        pytest.param({"stream": True, "background": True}, "stream", "stand-in", id="streamed background"),
        pytest.param({"store": False, "background": True}, "background", "'store'", id="background, not kept"),
        pytest.param(
            {"stream": True, "stream_options": {"include_usage": True}},
            "stream_options.include_usage",
            "Unknown",
            id="usage option",
        ),
        pytest.param({"max_output_tokens": 15}, "max_output_tokens", ">= 16", id="few tokens"),
        pytest.param({"truncation": "no"}, "truncation", "'auto' and 'disabled'", id="truncation"),
        pytest.param({"metadata": {"a": 1}}, "metadata.a", "a string", id="metadata"),
        pytest.param({"metadata": {f"k{n}": "" for n in range(17)}}, "metadata", "16", id="much metadata"),
        pytest.param({"metadata": {"a": "x" * 513}}, "metadata.a", "512", id="long metadata"),
        pytest.param({"instructions": ["x"]}, "instructions", "a string", id="instructions"),
        pytest.param({"text": form({"type": "object"})}, "text.format.schema", "additionalProperties", id="not strict"),
        pytest.param({"text": form(None)}, "text.format.schema", "Missing", id="no schema"),
        pytest.param({"text": {"format": {"type": "xml"}}}, "text.format.type", "'json_schema'", id="format"),
        pytest.param({"text": {"format": {"type": "json_object"}}}, "input", "the word 'json'", id="no word"),
        pytest.param({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type", "stand-in", id="reference"),
        pytest.param({"input": [{"type": "reasoning"}]}, "input[0].type", "stand-in", id="reasoning item"),
        pytest.param({"input": [{"type": "x"}]}, "input[0].type", "'message', 'function_call', and", id="item"),
        pytest.param({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "'developer'", id="role"),
        pytest.param({"input": [{"role": "user", "content": "x", "x": 1}]}, "input[0].x", "Unknown", id="message"),
        pytest.param({"input": [{"role": "user"}]}, "input[0].content", "a string or an array", id="no content"),
        pytest.param({"input": says({"type": "input_file"})}, "input[0].content[0].type", "stand-in", id="file"),
        pytest.param({"input": says({"type": "text"})}, "input[0].content[0].type", "'input_image'", id="part of chat"),
        pytest.param(
            {"input": says({"type": "input_text", "text": "x"}, role="assistant")},
            "input[0].content[0].type",
            "'output_text'",
            id="part of another role",
        ),
        pytest.param(
            {"input": says({"type": "input_image", "file_id": "x"})},
            "input[0].content[0].file_id",
            "stand-in",
            id="image file",
        ),
        pytest.param(
            {"input": [{"type": "function_call_output", "call_id": "call_1", "output": "x"}]},
            "input",
            "No tool call found for function call output with call_id call_1",
            id="output without call",
        ),
        pytest.param(
            {"input": [{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}]},
            "input",
            "No tool output found for function call call_1",
            id="call without output",
        ),
        pytest.param({"previous_response_id": "resp_1"}, "previous_response_id", "'resp_1' not found", id="previous"),
    ],
)
async def test_what_is_not_done_is_refused_by_name(
    http: ClientSession, endpoint: str, body: dict[str, Any], param: str, words: str
) -> None:
    status, answer = await call(http, endpoint, "POST", "responses", {"model": "chat", "input": "Hello", **body})

    assert (status, answer["error"]["param"]) == (400, param)
    assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("?stream=true", "stream"),
        ("?starting_after=3", "starting_after"),
        ("?include[]=message.input_image.image_url", "include[]"),
        ("/input_items?before=msg_1", "before"),
        ("/input_items?limit=0", "limit"),
        ("/input_items?limit=101", "limit"),
        ("/input_items?limit=00000000010000000", "limit"),
        ("/input_items?order=up", "order"),
        ("/input_items?after=msg_1", "after"),
    ],
)
async def test_a_query_that_is_not_obeyed_is_refused(
    client: Any, http: ClientSession, endpoint: str, path: str, param: str
) -> None:
    created = await create(client)

    status, body = await call(http, endpoint, "GET", f"responses/{created.id}{path}")

    assert (status, body["error"]["param"]) == (400, param)


async def test_an_embedding_model_does_not_respond(http: ClientSession, endpoint: str) -> None:
    status, body = await call(http, endpoint, "POST", "responses", {"model": "small", "input": "Hello"})

    assert (status, body["error"]["code"]) == (400, "OperationNotSupported")


@official.requires_official
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tools": TOOLS, "tool_choice": "required"},
        {"text": form(PLACE), "instructions": "x"},
        {"max_output_tokens": 16, "input": "x" * 100},
        {"background": True},
    ],
    ids=["text", "call", "schema", "cut", "background"],
)
async def test_answers_have_the_official_shape(http: ClientSession, endpoint: str, body: dict[str, Any]) -> None:
    whole = {"model": "chat", "input": "Hello", **body}
    _, created = await call(http, endpoint, "POST", "responses", whole)
    _, items = await call(http, endpoint, "GET", f"responses/{created['id']}/input_items")

    assert official.errors("AzureResponse", created) == []
    assert official.errors("OpenAI.ResponseItemList", items) == []
    if "background" in body:
        return
    async with http.post(f"{endpoint}openai/v1/responses", json={**whole, "stream": True}, headers=HEADERS) as response:
        for event in (await response.text()).split("\n\n")[:-1]:
            data = json.loads(event.partition("\ndata: ")[2])
            assert official.errors("OpenAI.ResponseStreamEvent", data) == []


@official.requires_official
def test_the_official_shape_of_an_event_is_told_by_its_type() -> None:
    event = {"type": "response.output_text.delta", "sequence_number": 1, "delta": "x"}

    assert official.errors("OpenAI.ResponseStreamEvent", event) != []
