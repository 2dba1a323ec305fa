"""Both surfaces of Azure OpenAI as the OpenAI clients call them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AuthenticationError, NotFoundError

from apim_emulator.cli.instructions import curl_command, python_program
from apim_emulator.cli.session import Api
from apim_emulator.pulumi.deploy import load_project
from sandbox.client import new_http_client
from sandbox.demo import run
from sandbox.modes import MODES, Mode
from sandbox.runtime import Sandbox

pytestmark = pytest.mark.slow

PROJECT = load_project(Path(__file__).parents[2])
MODELS = {
    "deployments": [{"name": "chat", "model": "gpt-5.6-luna"}, {"name": "embed", "model": "text-embedding-3-large"}]
}
BOTH = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": MODELS,
    "openai-gateway:apis": [
        {"name": "dated", "path": "openai"},
        {"name": "v1", "path": "openai/v1", "surface": "v1"},
        {"name": "chat", "path": "chat/openai/v1", "surface": "v1", "operations": ["createChatCompletion"]},
    ],
}
HELLO: Any = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """The APIs in front of an account; a test may ask for another kind than an Azure OpenAI account."""
    account = {"kind": getattr(request, "param", "OpenAI")}
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, {**BOTH, "openai-gateway:openai": {**MODELS, "accounts": [account]}})
        yield sandbox


@pytest.fixture
async def v1(sandbox: Sandbox) -> AsyncIterator[AsyncOpenAI]:
    async with client(sandbox, "v1", "openai/v1") as made:
        yield made


def client(sandbox: Sandbox, api: str, path: str) -> AsyncOpenAI:
    """Return the plain client, whose own key is none of the gateway's."""
    key = sandbox.deployment.outputs[f"{api}SubscriptionKey"]
    return AsyncOpenAI(
        base_url=f"{sandbox.url}/{path}",
        api_key="unused",
        default_headers={"api-key": key},
        http_client=new_http_client(),
        max_retries=0,
    )


@pytest.mark.parametrize("sandbox", ["OpenAI", "AIServices"], indirect=True)
async def test_both_surfaces_of_one_account_are_published_beside_each_other(sandbox: Sandbox, v1: AsyncOpenAI) -> None:
    key = sandbox.deployment.outputs["datedSubscriptionKey"]
    async with AsyncAzureOpenAI(
        azure_endpoint=sandbox.url,
        api_version="2024-10-21",
        api_key=key,
        http_client=new_http_client(),
        max_retries=0,
    ) as azure:
        answers = [await one.chat.completions.create(model="chat", messages=HELLO) for one in (azure, v1)]

    assert [answer.choices[0].message.content for answer in answers] == ["You said: hi"] * 2
    assert [call.path for call in list(sandbox.openai.received)[-2:]] == [
        "/openai/deployments/chat/chat/completions",
        "/openai/v1/chat/completions",
    ]
    assert len({call.host for call in sandbox.openai.received}) == 1


async def test_embeddings_and_models_are_offered(v1: AsyncOpenAI) -> None:
    assert (await v1.embeddings.create(model="embed", input="hi")).data[0].embedding
    assert [model.id async for model in v1.models.list()]


async def test_what_is_not_among_the_operations_is_not_found(sandbox: Sandbox) -> None:
    before = len(sandbox.openai.received)
    async with client(sandbox, "chat", "chat/openai/v1") as chat:
        assert await chat.chat.completions.create(model="chat", messages=HELLO)
        with pytest.raises(NotFoundError):
            await chat.embeddings.create(model="embed", input="hi")

    assert len(sandbox.openai.received) == before + 1


async def test_a_key_of_one_surface_does_not_open_the_other(sandbox: Sandbox, v1: AsyncOpenAI) -> None:
    stranger = v1.with_options(default_headers={"api-key": sandbox.deployment.outputs["datedSubscriptionKey"]})

    with pytest.raises(AuthenticationError):
        await stranger.models.list()


async def test_the_plain_client_sends_a_subscription_key_as_its_own_where_keys_may_be_bearers() -> None:
    keyed = {"name": "openai", "path": "openai/v1", "surface": "v1", "bearerKeys": True}
    async with Sandbox() as sandbox:
        deployment = await sandbox.deploy(PROJECT, {**BOTH, "openai-gateway:apis": [keyed]})
        async with AsyncOpenAI(
            base_url=f"{sandbox.url}/openai/v1",
            api_key=deployment.outputs["openaiSubscriptionKey"],
            http_client=new_http_client(),
            max_retries=0,
        ) as plain:
            answer = await plain.chat.completions.create(model="chat", messages=HELLO)
            with pytest.raises(AuthenticationError):
                await plain.with_options(api_key="0" * 32).models.list()

    assert answer.choices[0].message.content == "You said: hi"
    assert [(call.path, call.credential) for call in sandbox.openai.received] == [
        ("/openai/v1/chat/completions", "token")
    ]


@pytest.mark.parametrize("key", ["none", ""])
async def test_the_plain_clients_own_key_opens_nothing(sandbox: Sandbox, v1: AsyncOpenAI, key: str) -> None:
    bearer = key or sandbox.deployment.outputs["v1SubscriptionKey"]

    with pytest.raises(AuthenticationError):
        await v1.with_options(api_key=bearer, set_default_headers={}).models.list()


@pytest.mark.slow
async def test_a_call_is_made_as_the_instructions_say(sandbox: Sandbox) -> None:
    key = sandbox.deployment.outputs["v1SubscriptionKey"]
    api = Api(name="v1", url=f"{sandbox.url}/openai/v1", key=key, callers=[], needs_token=False)

    answer = await printed("bash", "-c", curl_command(api, "sandbox", "chat"))

    assert json.loads(answer)["choices"][0]["message"]["content"] == "You said: Hello"
    assert await printed(sys.executable, "-c", python_program(api, "chat")) == "You said: Hello\n"


async def printed(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode", [mode for mode in MODES if mode.surface == "dated"], ids=lambda mode: f"v1 {mode.name}"
)
async def test_every_mode_works_on_the_v1_surface(mode: Mode) -> None:
    report = await run([replace(mode, surface="v1")])

    assert [row for row in report.rows if not row.passed] == []
    assert {row.got for row in report.rows} >= {"200"}
