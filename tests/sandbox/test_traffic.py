"""What the options of traffic do to calls of the real `openai` client, through the whole program in the sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import (
    AsyncAzureOpenAI,
    AsyncOpenAI,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from apim_emulator.cli.instructions import API_VERSION
from apim_emulator.pulumi.deploy import load_project
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox

pytestmark = pytest.mark.slow

PROJECT = load_project(Path(__file__).parents[2])
DEPLOYMENTS = [{"name": name, "model": name} for name in ("gpt-4o", "gpt-4o-mini")]
HELLO: Any = [{"role": "user", "content": "Hello"}]


def stack(openai: dict[str, Any], **api: Any) -> dict[str, Any]:
    return {
        "azure-native:location": "swedencentral",
        "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
        "openai-gateway:openai": openai,
        "openai-gateway:apis": [{"name": "openai", "path": "openai", **api}],
    }


@asynccontextmanager
async def called(openai: dict[str, Any], **api: Any) -> AsyncIterator[tuple[Sandbox, AsyncAzureOpenAI]]:
    """Deploy the program with one API, and call it as its subscriber."""
    async with Sandbox() as sandbox, new_http_client() as http:
        outputs = (await sandbox.deploy(PROJECT, stack(openai, **api))).outputs
        yield (
            sandbox,
            AsyncAzureOpenAI(
                base_url=f"{sandbox.url}/openai",
                api_key=outputs["openaiSubscriptionKey"],
                api_version=API_VERSION,
                http_client=http,
                max_retries=0,
            ),
        )


async def chat(client: AsyncAzureOpenAI, model: str) -> str:
    completion = await client.chat.completions.create(model=model, messages=HELLO)
    return completion.model


async def test_an_alias_answers_and_models_that_are_not_listed_are_refused() -> None:
    models = ["gpt-4o", {"name": "fast", "deployment": "gpt-4o-mini"}]
    async with called({"deployments": DEPLOYMENTS}, models=models) as (sandbox, client):
        assert (await chat(client, "gpt-4o")).startswith("gpt-4o")
        assert (await chat(client, "fast")).startswith("gpt-4o-mini")
        before = len(sandbox.openai.received)
        for model in ("gpt-4o-mini", "gpt-4", "gpt-4o-2"):
            with pytest.raises(PermissionDeniedError) as refused:
                await chat(client, model)

            assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
            assert refused.value.type == "invalid_request_error"
        assert len(sandbox.openai.received) == before


async def test_a_stream_ends_with_its_usage_although_nobody_asked_for_it() -> None:
    async with called({"deployments": DEPLOYMENTS}, includeUsage=True) as (_, client):
        stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]

    *others, last = chunks
    assert last.usage is not None
    assert last.usage.total_tokens > 0
    assert last.choices == []
    assert all(chunk.usage is None for chunk in others)


async def test_on_v1_the_body_names_the_model_and_responses_stream_as_they_are() -> None:
    models = ["gpt-4o", {"name": "fast", "deployment": "gpt-4o-mini"}]
    api = {"path": "openai/v1", "surface": "v1", "models": models, "includeUsage": True}
    async with Sandbox() as sandbox, new_http_client() as http:
        outputs = (await sandbox.deploy(PROJECT, stack({"deployments": DEPLOYMENTS}, **api))).outputs
        key = outputs["openaiSubscriptionKey"]
        client = AsyncOpenAI(
            base_url=f"{sandbox.url}/openai/v1",
            api_key="none",
            default_headers={"api-key": key},
            http_client=http,
            max_retries=0,
        )

        answer = await client.chat.completions.create(model="fast", messages=HELLO)
        stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        usage = [chunk.usage async for chunk in stream][-1]
        events = [event async for event in await client.responses.create(model="fast", input="Hello", stream=True)]
        with pytest.raises(PermissionDeniedError) as refused:
            await client.responses.create(model="gpt-4o-mini", input="Hello")
        with pytest.raises(BadRequestError) as nameless:
            await client.responses.create(input="Hello")

    assert answer.model.startswith("gpt-4o-mini")
    assert usage is not None
    assert events[-1].type == "response.completed"
    assert (refused.value.code, nameless.value.code) == ("model_not_found", "missing_model")


DIFFERENT = {
    "accounts": [
        {"location": "swedencentral", "deployments": [DEPLOYMENTS[0]]},
        {"location": "francecentral", "deployments": DEPLOYMENTS},
    ]
}


@pytest.mark.parametrize("auth", ["managed-identity", "key"])
async def test_a_call_goes_only_where_its_deployment_is(auth: str) -> None:
    async with called(DIFFERENT, auth=auth) as (sandbox, client):
        for _ in range(4):
            assert (await chat(client, "gpt-4o-mini")).startswith("gpt-4o-mini")
        mini = {call.host for call in sandbox.openai.received}
        for _ in range(4):
            await chat(client, "gpt-4o")
        before = len(sandbox.openai.received)
        with pytest.raises(NotFoundError) as missing:
            await chat(client, "gpt-4")

        assert len(mini) == 1
        assert len({call.host for call in sandbox.openai.received}) == 2
        assert {call.status for call in sandbox.openai.received} == {200}
        assert (missing.value.code, len(sandbox.openai.received)) == ("DeploymentNotFound", before)


async def test_provisioned_throughput_comes_first_and_is_back_when_it_said() -> None:
    chat_model = DEPLOYMENTS[0]
    pool = {
        "accounts": [
            {
                "location": "swedencentral",
                "priority": 1,
                "deployments": [{**chat_model, "sku": "GlobalProvisionedManaged", "capacity": 50}],
            },
            {"location": "francecentral", "priority": 2, "weight": 3},
            {"location": "westeurope", "priority": 2, "weight": 1},
        ],
        "deployments": [chat_model],
    }
    async with called(pool) as (sandbox, client):

        async def asked(calls: int) -> list[str]:
            before = len(sandbox.openai.received)
            for _ in range(calls):
                await chat(client, "gpt-4o")
            return [call.host for call in list(sandbox.openai.received)[before:] if call.status == 200]

        (provisioned,) = set(await asked(4))
        sandbox.openai.throttle(provisioned, 20)
        overflow = await asked(8)
        sandbox.clock.advance(20)
        later = set(await asked(2))

    by_use = sorted(map(overflow.count, set(overflow)))
    assert provisioned not in overflow
    assert by_use == [2, 6]
    assert later == {provisioned}


async def test_the_only_account_of_a_deployment_says_when_to_come_back_and_not_who_it_is() -> None:
    async with called(DIFFERENT) as (sandbox, client):
        await chat(client, "gpt-4o-mini")
        host = sandbox.openai.received[-1].host
        sandbox.openai.throttle(host, 20)
        with pytest.raises(RateLimitError) as spent:
            await chat(client, "gpt-4o-mini")

        assert spent.value.response.headers["Retry-After"] == "20"
        assert host.partition(".")[0] not in f"{spent.value.response.text} {dict(spent.value.response.headers)}"
        assert (await chat(client, "gpt-4o")).startswith("gpt-4o")
