"""The service as the real `openai` client and plain HTTP see it."""

import asyncio
import base64
import io
import json
import math
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import openai
import pytest
from aiohttp import ClientSession

from apim_emulator.clock import Clock
from apim_emulator.model import ModelDeployment
from apim_emulator.services.azure_openai import API_VERSIONS, MAX_BODY, REMEMBERED, AzureOpenAI
from apim_emulator.services.azure_openai.authentication import OPENAI_USER
from apim_emulator.services.azure_openai.parameters import MAX_INPUTS
from apim_emulator.services.entra import Entra
from emulator.tests.services.fake_control_plane import (
    ACCOUNT,
    ACCOUNT_ID,
    IDENTITY,
    KEYLESS_ACCOUNT,
    KEYS,
    FakeControlPlane,
)

pytestmark = pytest.mark.slow

VERSION = "2024-10-21"
KEY = {"api-key": KEYS[0]}
NOT_FOUND = {"error": {"code": "404", "message": "Resource not found"}}
USER = {"role": "user", "content": "Hello"}


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[openai.AsyncAzureOpenAI]:
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=endpoint, api_key=KEYS[0], api_version=VERSION, max_retries=0
    ) as client:
        yield client


async def post(http: ClientSession, endpoint: str, path: str, body: Any) -> tuple[int, Any]:
    url = f"{endpoint}openai/deployments/{path}?api-version={VERSION}"
    async with http.post(url, data=body if isinstance(body, bytes) else json.dumps(body), headers=KEY) as response:
        return response.status, await response.json()


async def test_a_chat_is_answered_with_its_last_user_message(client: openai.AsyncAzureOpenAI, clock: Clock) -> None:
    answer = await client.chat.completions.create(
        model="chat",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "First"},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": [{"type": "text", "text": "Second"}]},
        ],
    )

    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        "You said: Second",
        "stop",
    )
    assert (answer.object, answer.model, answer.created) == ("chat.completion", "gpt-4o-2024-11-20", int(clock.now()))
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == (3 + 2 + 1 + 2) + 4 * 3 + 3
    assert answer.usage.completion_tokens == 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 4
    filters = answer.model_dump()["prompt_filter_results"][0]["content_filter_results"]
    assert filters["hate"] == {"filtered": False, "severity": "safe"}


async def test_equal_requests_get_equal_answers(client: openai.AsyncAzureOpenAI) -> None:
    first, second, other = [
        await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": text}])
        for text in ("Hello", "Hello", "Goodbye")
    ]

    assert first == second
    assert first.id != other.id


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_stops_at_the_token_limit(client: openai.AsyncAzureOpenAI, parameter: str) -> None:
    answer = await client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "Hello"}], extra_body={parameter: 2}
    )

    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content == "You said"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


async def test_a_reasoning_model_takes_a_limit_of_all_that_it_completes_alone(client: openai.AsyncAzureOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]

    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model="reasoning", messages=messages, max_tokens=2)
    answer = await client.chat.completions.create(model="reasoning", messages=messages, max_completion_tokens=2)

    assert (refused.value.param, refused.value.code) == ("max_tokens", "unsupported_parameter")
    assert "Use 'max_completion_tokens' instead." in refused.value.message
    assert answer.choices[0].message.content == "You said"


async def test_several_choices_are_given_on_request(client: openai.AsyncAzureOpenAI) -> None:
    answer = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello"}], n=3)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]


async def test_a_streamed_chat_opens_with_prompt_filters_and_ends_with_usage(client: openai.AsyncAzureOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    whole = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello"}])

    opening, *middle, last = chunks
    assert (opening.id, opening.choices) == ("", [])
    assert opening.model_dump()["prompt_filter_results"][0]["prompt_index"] == 0
    assert middle[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in middle) == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in middle[-2:]] == [None, "stop"]
    assert (last.choices, last.usage) == ([], whole.usage)
    assert all(chunk.usage is None for chunk in middle)


async def test_a_stream_on_the_wire_is_server_sent_events(http: ClientSession, endpoint: str) -> None:
    url = f"{endpoint}openai/deployments/chat/chat/completions?api-version={VERSION}"
    async with http.post(url, json={"messages": [USER], "stream": True}, headers=KEY) as response:
        text = await response.text()

    events = text.split("\n\n")
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert events[-2:] == ["data: [DONE]", ""]
    assert all("usage" not in json.loads(event.removeprefix("data: ")) for event in events[:-2])


async def test_each_prompt_is_completed(client: openai.AsyncAzureOpenAI) -> None:
    answer = await client.completions.create(model="instruct", prompt=["One", "Two"], n=2)

    assert [choice.text for choice in answer.choices] == ["You said: One"] * 2 + ["You said: Two"] * 2
    assert (answer.object, answer.model) == ("text_completion", "gpt-35-turbo-instruct-0914")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 2


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param({"prompt": [1, 22]}, "You said: 122", id="tokens"),
        pytest.param({"prompt": [[1], [22]]}, "You said: 1", id="token lists"),
        pytest.param({}, "You said: <|endoftext|>", id="none"),
    ],
)
async def test_a_prompt_may_be_tokens_or_absent(
    http: ClientSession, endpoint: str, prompt: dict[str, object], text: str
) -> None:
    status, body = await post(http, endpoint, "instruct/completions", prompt)

    assert (status, body["choices"][0]["text"]) == (200, text)


async def test_a_streamed_completion_gives_the_same_text_as_a_whole_one(client: openai.AsyncAzureOpenAI) -> None:
    stream = await client.completions.create(
        model="instruct", prompt="Once upon", stream=True, stream_options={"include_usage": True}, max_tokens=3
    )
    chunks = [chunk async for chunk in stream]
    whole = await client.completions.create(model="instruct", prompt="Once upon", max_tokens=3)

    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "length"
    assert chunks[-1].usage == whole.usage


async def test_embeddings_are_unit_vectors_of_the_text(client: openai.AsyncAzureOpenAI) -> None:
    answer = await client.embeddings.create(model="small", input=["red", "blue", "red"])

    red, blue, again = [item.embedding for item in answer.data]
    assert len(red) == 1536
    assert math.hypot(*red) == pytest.approx(1, abs=1e-6)
    assert red == again
    assert abs(sum(a * b for a, b in zip(red, blue, strict=True))) < 0.2
    assert (answer.model, answer.usage.prompt_tokens) == ("text-embedding-3-small", 3)


@pytest.mark.parametrize(
    "given", ["red", ["red"], [1, 2], [[1, 2]]], ids=["string", "strings", "tokens", "token lists"]
)
async def test_every_form_of_input_is_embedded(client: openai.AsyncAzureOpenAI, given: Any) -> None:
    answer = await client.embeddings.create(model="small", input=given, dimensions=8)

    assert [len(item.embedding) for item in answer.data] == [8]


async def test_base64_holds_the_same_numbers_as_float(http: ClientSession, endpoint: str) -> None:
    _, floats = await post(http, endpoint, "small/embeddings", {"input": "red", "dimensions": 4})
    _, packed = await post(
        http, endpoint, "small/embeddings", {"input": "red", "dimensions": 4, "encoding_format": "base64"}
    )

    unpacked = struct.unpack("<4f", base64.b64decode(packed["data"][0]["embedding"]))
    assert unpacked == pytest.approx(floats["data"][0]["embedding"])


@pytest.mark.parametrize(
    ("model", "dimensions"),
    [("text-embedding-3-large", 3072), ("text-embedding-3-small", 1536), ("text-embedding-ada-002", 1536)],
)
async def test_a_vector_is_as_long_as_the_models(
    client: openai.AsyncAzureOpenAI, directory: FakeControlPlane, model: str, dimensions: int
) -> None:
    directory.openai = [replace(ACCOUNT, deployments=(ModelDeployment(name="vectors", model=model),))]

    answer = await client.embeddings.create(model="vectors", input="red")

    assert len(answer.data[0].embedding) == dimensions


async def test_the_deployed_models_are_listed(client: openai.AsyncAzureOpenAI) -> None:
    models = {model.id: model.model_dump()["capabilities"] async for model in client.models.list()}

    assert list(models) == [
        "gpt-4o-2024-11-20",
        "gpt-5.6-luna-2026-07-09",
        "gpt-35-turbo-instruct-0914",
        "text-embedding-3-small-1",
        "text-embedding-ada-002-2",
    ]
    assert models["gpt-4o-2024-11-20"]["chat_completion"] is True
    assert models["gpt-4o-2024-11-20"]["embeddings"] is False


async def test_a_model_is_found_by_its_id(client: openai.AsyncAzureOpenAI) -> None:
    assert (await client.models.retrieve("gpt-4o-2024-11-20")).object == "model"
    with pytest.raises(openai.NotFoundError, match="'gpt-5' does not exist"):
        await client.models.retrieve("gpt-5")


async def test_the_synchronous_client_with_a_token_works_too(
    endpoint: str, directory: FakeControlPlane, entra: Entra, service: AzureOpenAI
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://cognitiveservices.azure.com")

    def call() -> str | None:
        with openai.AzureOpenAI(azure_endpoint=endpoint, azure_ad_token=token, api_version=VERSION) as client:
            answer = client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello"}])
            return answer.choices[0].message.content

    assert await asyncio.to_thread(call) == "You said: Hello"
    assert service.received[-1].principal_id == IDENTITY.principal_id


async def test_a_deployment_that_does_not_exist_is_not_found(client: openai.AsyncAzureOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refusal:
        await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])

    assert refusal.value.body == {
        "code": "DeploymentNotFound",
        "message": "The API deployment for this resource does not exist. If you created the deployment within the last "
        "5 minutes, please wait a moment and try again.",
    }


async def test_an_embedding_model_does_not_chat(client: openai.AsyncAzureOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        await client.chat.completions.create(model="small", messages=[{"role": "user", "content": "Hello"}])

    assert refusal.value.body == {
        "code": "OperationNotSupported",
        "message": "The chatCompletion operation does not work with the specified model, text-embedding-3-small. "
        "Please choose different model and try again. You can learn more about which models can be used with each "
        "operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
    }


@pytest.mark.parametrize(
    ("path", "operation"), [("chat/completions", "completion"), ("chat/embeddings", "embeddings")], ids=str
)
async def test_a_chat_model_does_nothing_else(http: ClientSession, endpoint: str, path: str, operation: str) -> None:
    status, body = await post(http, endpoint, path, {"prompt": "Hello", "input": "Hello"})

    assert (status, body["error"]["code"]) == (400, "OperationNotSupported")
    assert body["error"]["message"].startswith(
        f"The {operation} operation does not work with the specified model, gpt-4o."
    )


async def test_a_model_is_served_as_soon_as_it_is_deployed(
    client: openai.AsyncAzureOpenAI, directory: FakeControlPlane
) -> None:
    directory.openai = [replace(ACCOUNT, deployments=(ModelDeployment(name="new", model="gpt-4o-mini"),))]

    answer = await client.chat.completions.create(model="new", messages=[{"role": "user", "content": "Hello"}])

    assert answer.model == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        pytest.param("chat/chat/completions", b"{", (None, None), id="not JSON"),
        pytest.param("chat/chat/completions", b"", (None, None), id="empty"),
        pytest.param("chat/chat/completions", b"\xff", (None, None), id="not text"),
        pytest.param("chat/chat/completions", b"[" * 100_000, (None, None), id="nested too deep"),
        pytest.param("chat/chat/completions", [], ("body", "invalid_type"), id="not an object"),
        pytest.param("chat/chat/completions", {}, ("messages", "missing_required_parameter"), id="no messages"),
        pytest.param("chat/chat/completions", {"messages": "Hi"}, ("messages", "invalid_type"), id="text messages"),
        pytest.param("chat/chat/completions", {"messages": []}, ("messages", "empty_array"), id="empty messages"),
        pytest.param("chat/chat/completions", {"messages": [1]}, ("messages[0]", "invalid_type"), id="number message"),
        pytest.param(
            "chat/chat/completions",
            {"messages": [{"content": "Hi"}]},
            ("messages[0].role", "missing_required_parameter"),
            id="no role",
        ),
        pytest.param(
            "chat/chat/completions",
            {"messages": [USER, {"role": "root", "content": "Hi"}]},
            ("messages[1].role", "invalid_value"),
            id="unknown role",
        ),
        pytest.param(
            "chat/chat/completions",
            {"messages": [{"role": "user"}]},
            ("messages[0].content", "invalid_type"),
            id="no content",
        ),
        pytest.param(
            "chat/chat/completions", {"messages": [USER], "n": True}, ("n", "invalid_type"), id="boolean count"
        ),
        pytest.param(
            "chat/chat/completions",
            {"messages": [USER], "max_tokens": 0},
            ("max_tokens", "integer_below_min_value"),
            id="no tokens",
        ),
        pytest.param(
            "chat/chat/completions", {"messages": [USER], "n": 129}, ("n", "integer_above_max_value"), id="many choices"
        ),
        pytest.param(
            "chat/chat/completions", {"messages": [USER], "stream": "yes"}, ("stream", "invalid_type"), id="stream"
        ),
        pytest.param(
            "chat/chat/completions",
            {"messages": [USER], "stream_options": {"include_usage": True}},
            ("stream_options", None),
            id="stream options alone",
        ),
        pytest.param(
            "chat/chat/completions",
            {"messages": [USER], "stream": True, "stream_options": [1]},
            ("stream_options", "invalid_type"),
            id="stream options list",
        ),
        pytest.param("instruct/completions", {"prompt": {}}, ("prompt", "invalid_type"), id="object prompt"),
        pytest.param("small/embeddings", {}, ("input", "missing_required_parameter"), id="no input"),
        pytest.param("small/embeddings", {"input": []}, ("input", "empty_array"), id="empty input"),
        pytest.param("small/embeddings", {"input": ["red", ""]}, ("input", None), id="empty string"),
        pytest.param("small/embeddings", {"input": ["red", 1]}, ("input[1]", "invalid_type"), id="mixed input"),
        pytest.param("small/embeddings", {"input": [["r"]]}, ("input[0][0]", "invalid_type"), id="not tokens"),
        pytest.param("small/embeddings", {"input": ["a"] * (MAX_INPUTS + 1)}, ("input", None), id="too many inputs"),
        pytest.param(
            "small/embeddings",
            {"input": "red", "dimensions": 1537},
            ("dimensions", "integer_above_max_value"),
            id="too long",
        ),
        pytest.param("ada/embeddings", {"input": "red", "dimensions": 8}, ("dimensions", None), id="fixed length"),
        pytest.param(
            "small/embeddings",
            {"input": "red", "encoding_format": "hex"},
            ("encoding_format", "invalid_value"),
            id="encoding",
        ),
    ],
)
async def test_a_bad_body_is_refused_with_its_parameter(
    http: ClientSession, endpoint: str, path: str, body: Any, expected: tuple[str | None, str | None]
) -> None:
    status, answer = await post(http, endpoint, path, body)

    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert (answer["error"]["param"], answer["error"]["code"]) == expected


async def test_an_assistant_message_that_calls_tools_needs_no_content(http: ClientSession, endpoint: str) -> None:
    messages = [USER, {"role": "assistant", "content": None}]

    status, _ = await post(http, endpoint, "chat/chat/completions", {"messages": messages})

    assert status == 200


async def test_a_body_beyond_the_limit_is_refused(http: ClientSession, endpoint: str) -> None:
    url = f"{endpoint}openai/deployments/chat/chat/completions?api-version={VERSION}"
    async with http.post(url, data=io.BytesIO(bytes(MAX_BODY + 1)), headers=KEY) as response:
        assert response.status == 413


@pytest.mark.parametrize("version", ["2024-10-21", "2024-06-01", "2024-02-01", "2025-04-01-preview"])
def test_the_versions_that_clients_use_are_served(version: str) -> None:
    assert version in API_VERSIONS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "openai/models", id="no version"),
        pytest.param("GET", "openai/models?api-version=", id="empty version"),
        pytest.param("GET", "openai/models?api-version=2024-10-22", id="unknown version"),
        pytest.param("GET", f"?api-version={VERSION}", id="root"),
        pytest.param("GET", f"openai/deployments?api-version={VERSION}", id="unknown path"),
        pytest.param("DELETE", f"openai/models?api-version={VERSION}", id="unknown method"),
        pytest.param("GET", f"openai/deployments/chat/chat/completions?api-version={VERSION}", id="wrong method"),
    ],
)
async def test_what_does_not_exist_is_not_found(http: ClientSession, endpoint: str, method: str, path: str) -> None:
    async with http.request(method, endpoint + path, headers=KEY) as response:
        assert (response.status, await response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "path",
    ["responses", "files/file-1", "deployments/chat/images/generations", "deployments/chat/audio/transcriptions"],
)
async def test_what_the_stand_in_does_not_offer_is_named(http: ClientSession, endpoint: str, path: str) -> None:
    async with http.post(f"{endpoint}openai/{path}?api-version={VERSION}", headers=KEY) as response:
        status, body = response.status, await response.json()

    assert (status, body["error"]["code"]) == (400, "OperationNotSupported")
    assert f"does not offer POST /openai/{path}." in body["error"]["message"]


@pytest.mark.parametrize("path", ["openai/models", f"openai/secrets?api-version={VERSION}"])
async def test_what_exists_is_not_told_to_strangers(http: ClientSession, endpoint: str, path: str) -> None:
    async with http.get(endpoint + path) as response:
        assert response.status == 401


@pytest.mark.parametrize("host", ["nobody.openai.azure.com", "127.0.0.1.example", ":80"])
async def test_an_unknown_host_is_not_found(
    http: ClientSession, endpoint: str, service: AzureOpenAI, host: str
) -> None:
    async with http.get(f"{endpoint}openai/models", headers={**KEY, "Host": host}) as response:
        assert (response.status, await response.json()) == (404, NOT_FOUND)
    assert service.received[-1].host == host


@pytest.mark.parametrize("host", [KEYLESS_ACCOUNT.host, KEYLESS_ACCOUNT.host.upper(), f"{KEYLESS_ACCOUNT.host}:443"])
async def test_the_host_header_selects_the_account(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra, host: str
) -> None:
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, KEYLESS_ACCOUNT.id)}
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://cognitiveservices.azure.com")
    headers = {"Host": host, "Authorization": f"Bearer {token}"}
    async with http.get(f"{endpoint}openai/models?api-version={VERSION}", headers=headers) as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["gpt-4o"]


async def test_answers_carry_the_headers_of_the_service(http: ClientSession, endpoint: str) -> None:
    headers = {**KEY, "x-ms-client-request-id": "request-1"}
    async with http.get(f"{endpoint}openai/models?api-version={VERSION}", headers=headers) as accepted:
        pass
    async with http.get(f"{endpoint}openai/models?api-version={VERSION}") as refused:
        pass

    assert accepted.headers["x-ms-client-request-id"] == "request-1"
    assert "x-ratelimit-remaining-requests" in accepted.headers
    assert "x-ratelimit-remaining-requests" not in refused.headers
    for response in (accepted, refused):
        assert {"apim-request-id", "x-ms-region"} <= {name.lower() for name in response.headers}


async def test_what_reached_the_service_is_remembered_without_credentials(
    http: ClientSession, endpoint: str, service: AzureOpenAI
) -> None:
    url = f"{endpoint}openai/deployments/chat/chat/completions?api-version={VERSION}&subscription-key=secret-query"
    headers = {**KEY, "Authorization": "Bearer secret-token", "Ocp-Apim-Subscription-Key": "secret-key"}
    async with http.post(url, json={"messages": [USER]}, headers=headers):
        pass

    (received,) = service.received
    assert (received.method, received.path, received.status) == (
        "POST",
        "/openai/deployments/chat/chat/completions",
        200,
    )
    assert received.query == {"api-version": VERSION, "subscription-key": "secret-query"}
    assert {"api-key", "authorization", "ocp-apim-subscription-key"} <= received.headers
    assert (received.credential, received.body) == ("key", {"messages": [USER]})
    assert not any(secret in repr(received) for secret in (*KEYS, "secret-query", "secret-token", "secret-key"))


async def test_a_stream_is_remembered_before_it_ends(http: ClientSession, endpoint: str, service: AzureOpenAI) -> None:
    url = f"{endpoint}openai/deployments/chat/chat/completions?api-version={VERSION}"
    async with http.post(url, json={"messages": [USER], "stream": True}, headers=KEY):
        assert [received.status for received in service.received] == [200]


async def test_only_the_latest_requests_are_remembered(service: AzureOpenAI) -> None:
    assert service.received.maxlen == REMEMBERED


async def test_embeddings_are_near_for_texts_that_share_words(client: openai.AsyncAzureOpenAI) -> None:
    texts = ["How tall is Mount Everest?", "how tall is everest", "Who wrote Hamlet?", "?!"]
    answer = await client.embeddings.create(model="small", input=texts)

    first, *others = [item.embedding for item in answer.data]
    near, far, none = [sum(one * other for one, other in zip(first, vector, strict=True)) for vector in others]
    assert near > 0.8
    assert abs(far) < 0.2
    assert abs(none) < 0.2


async def test_a_throttled_account_tells_when_to_come_back_until_then(
    http: ClientSession, endpoint: str, service: AzureOpenAI, clock: Clock
) -> None:
    service.throttle(ACCOUNT.host, 20)
    service.throttle(KEYLESS_ACCOUNT.host, 3600)
    url = f"{endpoint}openai/deployments/chat/chat/completions?api-version={VERSION}"

    async def ask() -> tuple[int, str | None, Any]:
        async with http.post(url, json={"messages": [USER]}, headers=KEY) as response:
            return response.status, response.headers.get("Retry-After"), await response.json()

    status, wait, refusal = await ask()
    assert (status, wait, refusal["error"]["code"]) == (429, "20", "429")
    assert refusal["error"]["message"].startswith(
        f"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version {VERSION} have exceeded token"
        " rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds."
    )
    clock.advance(18.5)
    assert (await ask())[:2] == (429, "2")
    clock.advance(1.5)
    assert (await ask())[0] == 200
