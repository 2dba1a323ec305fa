"""Chat completions beyond an echo: functions, structured outputs, images, and what is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import jsonschema
import openai
import pydantic
import pytest
from aiohttp import ClientSession

from emulator.tests.services.azure_openai import official
from emulator.tests.services.fake_control_plane import KEYS

pytestmark = pytest.mark.slow

WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "place": {"type": "string"},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["place", "unit", "days"],
    "additionalProperties": False,
}


def tool(name: str, parameters: Any = WEATHER, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


TOOLS = [tool("get_weather"), tool("get_time", {"type": "object", "properties": {}})]
ASK = {"role": "user", "content": "Call get_weather for Paris"}


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        yield client


async def chat(client: openai.AsyncOpenAI, text: str = "Hello", **body: Any) -> Any:
    messages = body.pop("messages", [{"role": "user", "content": text}])
    return await client.chat.completions.create(model=body.pop("model", "chat"), messages=messages, **body)


async def refusal(http: ClientSession, endpoint: str, **body: Any) -> Any:
    whole = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}], **body}
    async with http.post(
        f"{endpoint}openai/v1/chat/completions", data=json.dumps(whole), headers={"api-key": KEYS[0]}
    ) as response:
        assert response.status == 400
        return (await response.json())["error"]


def names(answer: Any) -> list[str]:
    return [call.function.name for call in answer.choices[0].message.tool_calls or []]


@pytest.mark.parametrize(
    ("text", "more", "called", "reason"),
    [
        pytest.param("Call get_weather for Paris", {}, ["get_weather"], "tool_calls", id="auto, one named"),
        pytest.param("GET_TIME, get_weather", {}, ["get_weather", "get_time"], "tool_calls", id="auto, both named"),
        pytest.param(
            "get_time, get_weather", {"parallel_tool_calls": False}, ["get_weather"], "tool_calls", id="one at a time"
        ),
        pytest.param("Hello", {}, [], "stop", id="auto, none named"),
        pytest.param("Call get_weather", {"tool_choice": "none"}, [], "stop", id="none"),
        pytest.param("Hello", {"tool_choice": "required"}, ["get_weather"], "tool_calls", id="required"),
        pytest.param(
            "What does get_time say?", {"tool_choice": "required"}, ["get_time"], "tool_calls", id="required, named"
        ),
        pytest.param(
            "get_weather",
            {"tool_choice": {"type": "function", "function": {"name": "get_time"}}},
            ["get_time"],
            "stop",
            id="named by the request",
        ),
    ],
)
async def test_functions_are_called_as_the_request_chooses(
    client: openai.AsyncOpenAI, text: str, more: dict[str, Any], called: list[str], reason: str
) -> None:
    answer = await chat(client, text, tools=TOOLS, **more)

    assert names(answer) == called
    assert answer.choices[0].finish_reason == reason
    assert (answer.choices[0].message.content is None) == bool(called)


async def test_arguments_validate_and_are_counted(client: openai.AsyncOpenAI) -> None:
    answer = await chat(client, messages=[ASK], tools=TOOLS, n=2)

    calls = [choice.message.tool_calls[0] for choice in answer.choices]
    arguments = json.loads(calls[0].function.arguments)
    jsonschema.validate(arguments, WEATHER)
    assert arguments["place"] == "Call get_weather for Paris"
    assert answer.usage.completion_tokens == 2 * -(-len(calls[0].function.arguments) // 4)
    assert calls[0].id != calls[1].id


async def test_the_answer_of_a_function_is_told(client: openai.AsyncOpenAI) -> None:
    first = await chat(client, messages=[ASK], tools=TOOLS)
    said = first.choices[0].message
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "Sunny, says get_weather"}
    second = await chat(client, messages=[ASK, said, result], tools=TOOLS)

    assert second.choices[0].message.content == "You said: Sunny, says get_weather"
    assert second.choices[0].finish_reason == "stop"


async def test_calls_are_streamed_in_pieces(client: openai.AsyncOpenAI) -> None:
    whole = await chat(client, "get_time and get_weather", tools=TOOLS)
    pieces: dict[int, list[Any]] = {}
    chunks = [chunk async for chunk in await chat(client, "get_time and get_weather", tools=TOOLS, stream=True)]
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                pieces.setdefault(call.index, []).append(call)

    streamed = [
        (calls[0].function.name, "".join(call.function.arguments for call in calls)) for calls in pieces.values()
    ]
    assert streamed == [(call.function.name, call.function.arguments) for call in whole.choices[0].message.tool_calls]
    assert all(calls[0].id.startswith("call_") for calls in pieces.values())
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_a_limit_cuts_arguments(client: openai.AsyncOpenAI) -> None:
    answer = await chat(client, messages=[ASK], tools=TOOLS, max_completion_tokens=3)

    assert answer.choices[0].finish_reason == "length"
    assert len(answer.choices[0].message.tool_calls[0].function.arguments) == 12
    assert answer.usage.completion_tokens == 3


class Step(pydantic.BaseModel):
    explanation: str
    kind: Literal["add", "multiply"]
    value: float | None


class Steps(pydantic.BaseModel):
    steps: list[Step]
    done: bool


async def test_a_structured_output_is_parsed_by_the_client(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model="chat", messages=[{"role": "user", "content": "Solve"}], response_format=Steps
    )

    parsed = answer.choices[0].message.parsed
    assert parsed is not None
    assert (parsed.steps[0].explanation, parsed.steps[0].kind) == ("Solve", "add")


async def test_functions_of_the_client_s_own_models_are_strict(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model="chat",
        messages=[{"role": "user", "content": "Call Step"}],
        tools=[openai.pydantic_function_tool(Step)],
        parallel_tool_calls=False,
    )

    (call,) = answer.choices[0].message.tool_calls or []
    assert isinstance(call.function.parsed_arguments, Step)


async def test_a_streamed_structured_output_is_whole(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(
        model="chat", messages=[{"role": "user", "content": "Solve"}], response_format=Steps
    ) as stream:
        final = await stream.get_final_completion()

    assert isinstance(final.choices[0].message.parsed, Steps)


async def test_a_json_object_is_json(client: openai.AsyncOpenAI) -> None:
    answer = await chat(client, "Some JSON, please", response_format={"type": "json_object"})

    assert json.loads(answer.choices[0].message.content) == {"you_said": "Some JSON, please"}


async def test_a_schema_that_is_not_strict_may_say_more(client: openai.AsyncOpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"code": {"type": "string", "minLength": 12, "maxLength": 12}},
        "required": ["code"],
    }
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "code", "schema": schema}}
    answer = await chat(client, response_format=wanted)

    jsonschema.validate(json.loads(answer.choices[0].message.content), schema)


@pytest.mark.parametrize(
    ("stop", "said"), [("said", "You "), (["x", "Hel", ":"], "You said"), ([" "], "You"), ("never", "You said: Hello")]
)
async def test_an_answer_ends_before_a_stop_sequence(client: openai.AsyncOpenAI, stop: Any, said: str) -> None:
    answer = await chat(client, stop=stop)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (said, "stop")


@pytest.mark.parametrize(("detail", "tokens"), [("low", 85), ("high", 765), ("auto", 765)])
async def test_images_are_counted(client: openai.AsyncOpenAI, detail: str, tokens: int) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": detail}}
    message = {"role": "user", "content": [{"type": "text", "text": "Hello"}, image]}
    plain, seen = await chat(client), await chat(client, messages=[message])

    assert seen.usage.prompt_tokens - plain.usage.prompt_tokens == tokens
    assert seen.choices[0].message.content == "You said: Hello"


async def test_what_asks_for_nothing_is_taken(client: openai.AsyncOpenAI) -> None:
    answer = await chat(
        client,
        temperature=0.2,
        top_p=0.9,
        seed=7,
        user="ada",
        frequency_penalty=0,
        presence_penalty=0.0,
        logprobs=False,
        store=False,
        tools=[],
        extra_body={"functions": None},
    )

    assert answer.choices[0].message.content == "You said: Hello"


async def test_a_reasoning_model_takes_an_effort(client: openai.AsyncOpenAI) -> None:
    answer = await chat(client, model="reasoning", reasoning_effort="low", temperature=1)

    assert answer.usage.completion_tokens_details.reasoning_tokens == 0


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def schema_of(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True, **more}}


def says(*parts: Any, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": list(parts)}]


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        pytest.param({"logprobs": True}, "logprobs", "stand-in", id="logprobs"),
        pytest.param({"frequency_penalty": 1}, "frequency_penalty", "stand-in", id="penalty"),
        pytest.param({"logit_bias": {"50256": -100}}, "logit_bias", "stand-in", id="bias"),
        pytest.param({"store": True}, "store", "stand-in", id="stored completions"),
        pytest.param({"modalities": ["text", "audio"]}, "modalities", "stand-in", id="audio"),
        pytest.param({"functions": [{"name": "f"}]}, "functions", "stand-in", id="functions of old"),
        pytest.param({"data_sources": [{}]}, "data_sources", "stand-in", id="on your data"),
        pytest.param({"prediction": {}}, "prediction", "stand-in", id="prediction"),
        pytest.param({"verbosity": "low"}, "verbosity", "stand-in", id="verbosity"),
        pytest.param({"top_k": 3}, None, "Unrecognized request argument supplied: top_k", id="unknown"),
        pytest.param({"temperature": 2.5}, "temperature", "Expected a value <= 2", id="temperature"),
        pytest.param({"top_p": -1}, "top_p", "Expected a value >= 0", id="top_p"),
        pytest.param({"temperature": "hot"}, "temperature", "a decimal number", id="no temperature"),
        pytest.param({"model": "reasoning", "temperature": 0}, "temperature", "Only the default (1)", id="reasoning"),
        pytest.param({"model": "reasoning", "stop": "x"}, "stop", "not supported with this model", id="reasoning stop"),
        pytest.param({"reasoning_effort": "low"}, "reasoning_effort", "not supported with this model", id="effort"),
        pytest.param(
            {"model": "reasoning", "reasoning_effort": "much"}, "reasoning_effort", "'minimal'", id="bad effort"
        ),
        pytest.param({"seed": "x"}, "seed", "an integer", id="seed"),
        pytest.param({"stop": ["a", "b", "c", "d", "e"]}, "stop", "maximum length 4", id="five stops"),
        pytest.param({"stop": ["a", 1]}, "stop[1]", "a string", id="stop of another type"),
        pytest.param({"stop": ""}, "stop", "empty", id="empty stop"),
        pytest.param({"stream": True, "stream_options": {"x": 1}}, "stream_options.x", "Unknown", id="stream option"),
        pytest.param(
            {"tool_choice": "required"}, "tool_choice", "only allowed when 'tools'", id="choice without tools"
        ),
        pytest.param(
            {"parallel_tool_calls": False}, "parallel_tool_calls", "only allowed", id="parallel without tools"
        ),
        pytest.param(
            {"tools": TOOLS, "tool_choice": named("get_news")},
            "tool_choice",
            "'get_news' not found",
            id="unknown choice",
        ),
        pytest.param(
            {"tools": TOOLS, "tool_choice": "always"}, "tool_choice", "'none', 'auto', and 'required'", id="bad choice"
        ),
        pytest.param(
            {"tools": TOOLS, "tool_choice": {"type": "allowed_tools"}},
            "tool_choice.type",
            "stand-in",
            id="allowed tools",
        ),
        pytest.param({"tools": TOOLS, "tool_choice": 4}, "tool_choice", "a string or an object", id="number choice"),
        pytest.param({"tools": {}}, "tools", "an array", id="no array"),
        pytest.param({"tools": [tool(f"f{n}") for n in range(129)]}, "tools", "maximum length 128", id="many tools"),
        pytest.param({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].type", "stand-in", id="custom tool"),
        pytest.param({"tools": [{"type": "function"}]}, "tools[0].function", "an object", id="no function"),
        pytest.param({"tools": [tool("get weather")]}, "tools[0].function.name", "pattern", id="name"),
        pytest.param(
            {"tools": [tool("f", {"type": "string"})]},
            "tools[0].function.parameters",
            "got 'type: \"string\"'",
            id="no object",
        ),
        pytest.param({"tools": [tool("f", x=1)]}, "tools[0].function.x", "Unknown", id="field of a function"),
        pytest.param(
            {"tools": [tool("f", {"type": "object"}, strict=True)]},
            "tools[0].function.parameters",
            "additionalProperties",
            id="not strict",
        ),
        pytest.param(
            {
                "tools": [tool("f", {**WEATHER, "properties": {**WEATHER["properties"], "place": {"pattern": "x"}}})],
                "tool_choice": "required",
            },
            "tools[0].function.parameters",
            "stand-in cannot generate values that obey 'pattern'",
            id="pattern",
        ),
        pytest.param({"response_format": {"type": "xml"}}, "response_format.type", "'json_object'", id="format"),
        pytest.param(
            {"response_format": {"type": "json_object"}}, "messages", "must contain the word 'json'", id="no word"
        ),
        pytest.param(
            {"response_format": {"type": "json_schema"}}, "response_format.json_schema", "Missing", id="no schema"
        ),
        pytest.param(
            {"response_format": schema_of(WEATHER)}, "response_format", "'minimum' is not permitted", id="keyword"
        ),
        pytest.param({"response_format": schema_of([])}, "response_format.json_schema.schema", "an object", id="list"),
        pytest.param({"response_format": schema_of(None)}, "response_format", "got 'type: \"None\"'", id="nothing"),
        pytest.param(
            {"response_format": schema_of({}, name=None)}, "response_format.json_schema.name", "Missing", id="no name"
        ),
        pytest.param(
            {"messages": says({"type": "input_audio"})}, "messages[0].content[0].type", "stand-in", id="audio part"
        ),
        pytest.param({"messages": says({"type": "file"})}, "messages[0].content[0].type", "stand-in", id="file part"),
        pytest.param(
            {"messages": says({"type": "x"})}, "messages[0].content[0].type", "'image_url' and 'text'", id="part"
        ),
        pytest.param({"messages": says("x")}, "messages[0].content[0]", "an object", id="no part"),
        pytest.param({"messages": says({"type": "text"})}, "messages[0].content[0].text", "Missing", id="no text"),
        pytest.param(
            {"messages": says({"type": "image_url", "image_url": {"url": "x"}}, role="system")},
            "messages[0].content[0].type",
            "'text'",
            id="image for the system",
        ),
        pytest.param(
            {"messages": says({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}})},
            "messages[0].content[0].image_url.url",
            "URL of an image",
            id="image of a file",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": "x", "x": 1}]}, "messages[0].x", "Unknown", id="message"
        ),
        pytest.param(
            {"messages": [CALLS]}, "messages", "did not have response messages: call_1", id="call without answer"
        ),
        pytest.param({"messages": [CALLS, ASK]}, "messages", "call_1", id="call, then the user"),
        pytest.param(
            {"messages": [ASK, {"role": "tool", "tool_call_id": "call_2", "content": "x"}]},
            "messages.[1].role",
            "must be a response",
            id="answer without call",
        ),
    ],
)
async def test_what_is_not_done_is_refused_by_name(
    http: ClientSession, endpoint: str, body: dict[str, Any], param: str | None, words: str
) -> None:
    error = await refusal(http, endpoint, **body)

    assert error["param"] == param
    assert words in error["message"]
    assert error["type"] == "invalid_request_error"


async def test_a_request_for_too_much_is_refused(http: ClientSession, endpoint: str) -> None:
    many = {"type": "object", "properties": {"a": {"type": "array", "items": {}, "minItems": 1500}}, "required": ["a"]}
    error = await refusal(http, endpoint, tools=[tool("f", many)], tool_choice="required", n=128)

    assert error["message"] == "The stand-in for Azure OpenAI answers with at most 100000 tokens."


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
async def test_a_number_that_json_does_not_have_is_refused(http: ClientSession, endpoint: str, number: str) -> None:
    schema = f'{{"type": "object", "properties": {{"a": {{"enum": [{number}]}}}}, "required": ["a"]}}'
    tools = f'[{{"type": "function", "function": {{"name": "f", "parameters": {schema}}}}}]'
    body = f'{{"model": "chat", "messages": [{{"role": "user", "content": "f"}}], "tools": {tools}}}'
    async with http.post(f"{endpoint}openai/v1/chat/completions", data=body, headers={"api-key": KEYS[0]}) as response:
        assert response.status == 400
        assert "could not parse the JSON body" in (await response.json())["error"]["message"]


async def test_a_body_of_endless_levels_is_refused(http: ClientSession, endpoint: str) -> None:
    for levels in (100, 800, 900, 950, 980, 100_000):
        deep = "[" * levels + "]" * levels
        body = f'{{"model": "chat", "messages": [{{"role": "user", "content": "x"}}], "tools": {deep}}}'
        async with http.post(
            f"{endpoint}openai/v1/chat/completions", data=body, headers={"api-key": KEYS[0]}
        ) as response:
            assert response.status == 400


@official.requires_official
@pytest.mark.parametrize("choices", [[{}], [{"index": 0, "message": {}, "logprobs": None, "finish_reason": "no"}]])
def test_the_official_shape_is_not_any_shape(choices: Any) -> None:
    answer = {"id": "x", "created": 1, "model": "m", "object": "chat.completion", "choices": choices}

    assert official.errors("AzureCreateChatCompletionResponse", answer) != []


@official.requires_official
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tools": TOOLS, "tool_choice": "required"},
        {"response_format": schema_of({**WEATHER, "properties": {}, "required": []})},
        {"n": 2, "max_completion_tokens": 1},
    ],
    ids=["text", "call", "schema", "cut"],
)
async def test_answers_have_the_official_shape(http: ClientSession, endpoint: str, body: dict[str, Any]) -> None:
    whole = {"model": "chat", "messages": [ASK], **body}
    url, headers = f"{endpoint}openai/v1/chat/completions", {"api-key": KEYS[0]}
    async with http.post(url, json=whole, headers=headers) as response:
        answer = await response.json()
    streamed = {**whole, "stream": True, "stream_options": {"include_usage": True}}
    async with http.post(url, json=streamed, headers=headers) as response:
        events = (await response.text()).split("\n\n")

    assert official.errors("AzureCreateChatCompletionResponse", answer) == []
    assert events[-2:] == ["data: [DONE]", ""]
    for event in events[1:-2]:  # the first is Azure's own, about the prompt
        assert (
            official.errors("AzureCreateChatCompletionStreamResponse", json.loads(event.removeprefix("data: "))) == []
        )
