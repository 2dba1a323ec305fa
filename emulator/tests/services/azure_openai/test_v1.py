"""The v1 API as the plain `openai` client and plain HTTP see it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import ClientSession

from apim_emulator.clock import Clock
from apim_emulator.services.azure_openai import OPENAI_USER, AzureOpenAI
from apim_emulator.services.entra import Entra
from emulator.tests.services.fake_control_plane import (
    ACCOUNT,
    ACCOUNT_ID,
    IDENTITY,
    KEYLESS_ACCOUNT,
    KEYS,
    FakeControlPlane,
)

HELLO: Any = [{"role": "user", "content": "Hello"}]
CHAT = "openai/v1/chat/completions"
MODELS = "openai/v1/models"


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{endpoint}openai/v1/", api_key=KEYS[0], max_retries=0) as client:
        yield client


async def status_of(http: ClientSession, url: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    async with http.request(method, url, headers=headers, data=None if body is None else json.dumps(body)) as response:
        return response.status, await response.json()


async def test_the_model_of_the_body_is_the_deployment(client: openai.AsyncOpenAI, service: AzureOpenAI) -> None:
    answer = await client.chat.completions.create(model="chat", messages=HELLO)

    assert (answer.choices[0].message.content, answer.model) == ("You said: Hello", "gpt-4o-2024-11-20")
    assert (service.received[-1].path, service.received[-1].query) == ("/openai/v1/chat/completions", {})


async def test_a_chat_is_streamed(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="chat", messages=HELLO, stream=True)

    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == "You said: Hello"


async def test_texts_are_embedded(client: openai.AsyncOpenAI) -> None:
    answer = await client.embeddings.create(model="small", input=["red", "blue"], dimensions=8)

    assert [len(item.embedding) for item in answer.data] == [8, 8]


async def test_models_are_listed_and_found_in_openai_s_shape(client: openai.AsyncOpenAI, clock: Clock) -> None:
    listed = [model async for model in client.models.list()]
    found = await client.models.retrieve("gpt-4o-2024-11-20")

    assert found in listed
    assert (found.object, found.owned_by, found.created) == ("model", "openai", int(clock.now()))
    with pytest.raises(openai.NotFoundError, match="'gpt-5' does not exist"):
        await client.models.retrieve("gpt-5")


@pytest.mark.parametrize(
    "headers",
    [{"api-key": KEYS[0]}, {"Authorization": f"Bearer {KEYS[0]}"}, {"Authorization": f"bearer {KEYS[1]}"}],
    ids=["api-key", "bearer", "second key"],
)
async def test_a_key_is_taken_in_either_header(
    http: ClientSession, endpoint: str, service: AzureOpenAI, headers: dict[str, str]
) -> None:
    status, _ = await status_of(http, endpoint + MODELS, headers)

    assert (status, service.received[-1].credential) == (200, "key")
    assert not any(key in repr(service.received[-1]) for key in KEYS)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({"Authorization": "Bearer wrong"}, "401", id="wrong bearer"),
        pytest.param({"api-key": "wrong", "Authorization": f"Bearer {KEYS[0]}"}, "401", id="wrong key, right bearer"),
        pytest.param({"Authorization": f"Bearer {KEYLESS_ACCOUNT.keys[0]}"}, "401", id="another account's key"),
    ],
)
async def test_a_wrong_key_is_refused(http: ClientSession, endpoint: str, headers: dict[str, str], code: str) -> None:
    status, body = await status_of(http, endpoint + MODELS, headers)

    assert (status, body["error"]["code"]) == (401, code)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {KEYS[0]}"}, {"Authorization": "Bearer a.b.c"}],
    ids=["nothing", "no bearer", "another scheme", "no token"],
)
async def test_what_is_neither_key_nor_token_is_refused(
    http: ClientSession, endpoint: str, headers: dict[str, str]
) -> None:
    status, body = await status_of(http, endpoint + MODELS, headers)

    assert (status, body["message"][:12]) == (401, "Unauthorized")


async def test_a_bearer_key_is_refused_where_keys_are_off(http: ClientSession, endpoint: str) -> None:
    headers = {"Host": KEYLESS_ACCOUNT.host, "Authorization": f"Bearer {KEYLESS_ACCOUNT.keys[0]}"}

    status, body = await status_of(http, endpoint + MODELS, headers)

    assert (status, body["error"]["code"]) == (403, "AuthenticationTypeDisabled")


async def test_a_token_needs_the_role(
    http: ClientSession, endpoint: str, directory: FakeControlPlane, entra: Entra, service: AzureOpenAI
) -> None:
    token, _ = entra.managed_identity_token(IDENTITY.principal_id, "https://cognitiveservices.azure.com")
    headers = {"Authorization": f"Bearer {token}"}
    before, refusal = await status_of(http, endpoint + CHAT, headers, {"model": "chat", "messages": HELLO})
    directory.roles = {(IDENTITY.principal_id, OPENAI_USER, ACCOUNT_ID)}
    after, _ = await status_of(http, endpoint + CHAT, headers, {"model": "chat", "messages": HELLO})

    assert (before, after) == (401, 200)
    assert refusal["error"]["message"] == (
        f"The principal `{IDENTITY.principal_id}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform "
        "`POST /openai/v1/chat/completions` operation."
    )
    assert service.received[-1].principal_id == IDENTITY.principal_id


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=preview"])
async def test_an_api_version_is_not_needed(http: ClientSession, endpoint: str, query: str) -> None:
    assert (await status_of(http, endpoint + MODELS + query, {"api-key": KEYS[0]}))[0] == 200


@pytest.mark.parametrize("version", ["2024-10-21", "2025-04-01-preview", "latest", ""])
async def test_any_other_api_version_is_refused(http: ClientSession, endpoint: str, version: str) -> None:
    answer = await status_of(http, f"{endpoint}{MODELS}?api-version={version}", {"api-key": KEYS[0]})

    assert answer == (400, {"error": {"code": "BadRequest", "message": "API version not supported"}})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"messages": HELLO}, (400, "missing_required_parameter"), id="no model"),
        pytest.param({"messages": HELLO, "model": 4}, (400, "invalid_type"), id="no string"),
        pytest.param({"messages": HELLO, "model": "gpt-4o"}, (404, "DeploymentNotFound"), id="model, not deployment"),
        pytest.param({"messages": HELLO, "model": "small"}, (400, "OperationNotSupported"), id="embedding model"),
    ],
)
async def test_a_model_that_does_not_chat_is_refused(
    http: ClientSession, endpoint: str, body: Any, expected: tuple[int, str]
) -> None:
    status, refusal = await status_of(http, endpoint + CHAT, {"api-key": KEYS[0]}, body)

    assert (status, refusal["error"]["code"]) == expected


@pytest.mark.parametrize("path", ["files", "batches", "images/generations", "audio/speech", "evals", "vector_stores/x"])
async def test_what_the_stand_in_does_not_offer_is_named(http: ClientSession, endpoint: str, path: str) -> None:
    status, body = await status_of(http, f"{endpoint}openai/v1/{path}", {"api-key": KEYS[0]}, {})

    assert (status, body["error"]["code"]) == (400, "OperationNotSupported")
    assert f"does not offer POST /openai/v1/{path}." in body["error"]["message"]


@pytest.mark.parametrize("path", ["openai/v1/secrets", "openai/v1", "openai/v1/", "openai/v1/chat"])
async def test_what_azure_does_not_have_either_is_not_found(http: ClientSession, endpoint: str, path: str) -> None:
    assert (await status_of(http, endpoint + path, {"api-key": KEYS[0]}))[0] == 404


async def test_a_throttled_account_refuses_v1_too(http: ClientSession, endpoint: str, service: AzureOpenAI) -> None:
    service.throttle(ACCOUNT.host, 20)

    status, body = await status_of(http, endpoint + CHAT, {"api-key": KEYS[0]}, {"model": "chat", "messages": HELLO})

    assert (status, body["error"]["code"]) == (429, "429")
    assert "API version v1" in body["error"]["message"]
