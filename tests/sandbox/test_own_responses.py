"""Stored responses belong to their caller, as the OpenAI client sees it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, NotFoundError

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.model import Subscription
from apim_emulator.pulumi.deploy import load_project
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox

pytestmark = pytest.mark.slow

PROJECT = load_project(Path(__file__).parents[2])
API = {"name": "openai", "path": "openai/v1", "surface": "v1", "ownResponses": True}
CONFIG: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {"deployments": [{"name": "chat", "model": "gpt-5.6-luna"}]},
    "openai-gateway:apis": [API],
}
NOBODYS = {
    "message": "No response with that ID is yours.",
    "type": "invalid_request_error",
    "param": None,
    "code": None,
}
OTHER_KEY = "9" * 32
Callers = tuple[AsyncOpenAI, AsyncOpenAI, Sandbox]
Use = Callable[[AsyncOpenAI, str], Awaitable[Any]]


async def show(client: AsyncOpenAI, known: str) -> Any:
    return await client.responses.retrieve(known)


async def list_input(client: AsyncOpenAI, known: str) -> Any:
    return await client.responses.input_items.list(known)


async def go_on(client: AsyncOpenAI, known: str) -> Any:
    return await client.responses.create(model="chat", input="more", previous_response_id=known)


async def delete(client: AsyncOpenAI, known: str) -> Any:
    await client.responses.delete(known)
    return known


async def cancel(client: AsyncOpenAI, known: str) -> Any:
    return await client.responses.cancel(known)


@asynccontextmanager
async def caller(sandbox: Sandbox, **login: Any) -> AsyncIterator[AsyncOpenAI]:
    url = f"{sandbox.url}/openai/v1"
    async with AsyncOpenAI(
        **{"api_key": "none", **login}, base_url=url, http_client=new_http_client(), max_retries=0
    ) as client:
        yield client


@pytest.fixture
async def subscribers() -> AsyncIterator[Callers]:
    """Two callers of one API, the second one with a subscription to all APIs."""
    async with Sandbox() as sandbox:
        deployment = await sandbox.deploy(PROJECT, CONFIG)
        other = Subscription(id="other", scope="/apis", primary_key=OTHER_KEY, secondary_key="8" * 32)
        sandbox.gateway.load(replace(sandbox.service, subscriptions=(*sandbox.service.subscriptions, other)))
        key = deployment.outputs["openaiSubscriptionKey"]
        async with (
            caller(sandbox, default_headers={"api-key": key}) as one,
            caller(sandbox, default_headers={"api-key": OTHER_KEY}) as two,
        ):
            yield one, two, sandbox


@pytest.mark.parametrize("use", [show, list_input, go_on, delete, cancel])
async def test_a_response_is_found_by_the_caller_that_made_it_alone(subscribers: Callers, use: Use) -> None:
    one, other, sandbox = subscribers
    made = await one.responses.create(model="chat", input="hi", background=use is cancel)
    before = len(sandbox.openai.received)

    with pytest.raises(NotFoundError) as refused:
        await use(other, made.id)

    assert refused.value.body == NOBODYS
    assert len(sandbox.openai.received) == before
    assert await use(one, made.id)
    assert len(sandbox.openai.received) == before + 1


async def test_what_nobody_is_known_to_have_made_is_found_by_nobody(subscribers: Callers) -> None:
    one, _, sandbox = subscribers
    events = [event async for event in await one.responses.create(model="chat", input="hi", stream=True)]
    streamed: Any = events[-1]

    for known in (streamed.response.id, "resp_none"):
        for use in (show, go_on):
            with pytest.raises(NotFoundError):
                await use(one, known)
    assert len(sandbox.openai.received) == 1


@pytest.mark.parametrize("conversation", ['"conv_1"', '{"id": "conv_1"}'])
@pytest.mark.parametrize("key", ["conversation", "Conversation", "conversatio\\u006e"])
async def test_a_conversation_which_nobody_can_make_here_is_continued_by_nobody(
    subscribers: Callers, key: str, conversation: str
) -> None:
    one, _, sandbox = subscribers

    answer = await one._client.post(
        f"{one.base_url}responses",
        content=f'{{"model": "chat", "input": "more", "{key}": {conversation}}}',
        headers={"api-key": one._custom_headers["api-key"], "Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["error"]) == (404, NOBODYS)
    assert len(sandbox.openai.received) == 0


@pytest.mark.parametrize(
    "more",
    [
        pytest.param('"previous_response_id": "OTHERS"', id="plain"),
        pytest.param('"previous_response_id": ["OTHERS"]', id="no text"),
        pytest.param('"previous\\u005fresponse_id": "OTHERS"', id="escaped"),
        pytest.param('"previous_response_id": "MINE", "previous_response_id": "OTHERS"', id="the other one last"),
        pytest.param('"previous_response_id": "OTHERS", "previous_response_id": "MINE"', id="the other one first"),
        pytest.param('"previous_response_id": "OTHERS", "previous_response_id": ""', id="none last"),
        pytest.param('"previous_response_id": "OTHERS", "a": {', id="no JSON"),
        pytest.param('"Previous_Response_ID": "OTHERS"', id="another case"),
        pytest.param('"previous_response_id": "MINE", "Previous_Response_ID": "OTHERS"', id="another case beside it"),
    ],
)
async def test_no_spelling_of_a_body_continues_what_another_caller_made(subscribers: Callers, more: str) -> None:
    one, other, sandbox = subscribers
    made, mine = [await client.responses.create(model="chat", input="hi") for client in (one, other)]
    text = more.replace("OTHERS", made.id).replace("MINE", mine.id)
    before = len(sandbox.openai.received)

    answer = await other._client.post(
        f"{other.base_url}responses",
        content=f'{{"model": "chat", "input": "more", {text}}}',
        headers={"api-key": OTHER_KEY, "Content-Type": "application/json"},
    )

    reached = list(sandbox.openai.received)[before:]
    assert answer.status_code == 404 or [made.id in str(call.body) for call in reached] == [False]


async def test_callers_are_told_apart_by_their_tokens() -> None:
    entra = {"roles": ["Chat.User"]}
    config = {**CONFIG, "openai-gateway:auth": "entra", "openai-gateway:entra": entra}
    async with Sandbox(cloud=Cloud(deployer=Deployer.ADMINISTRATOR)) as sandbox:
        audience = (await sandbox.deploy(PROJECT, config)).outputs["openaiAudience"]

        def token(who: str) -> str:
            client_id = sandbox.callers.client.client_id
            return sandbox.entra.issue(audience, client_id=client_id, principal_id=who, claims={"roles": ["Chat.User"]})

        async with (
            caller(sandbox, api_key=token("one")) as one,
            caller(sandbox, api_key=token("two")) as other,
            caller(sandbox, api_key=token("one"), default_headers={"oid": "two"}) as again,
        ):
            made = await one.responses.create(model="chat", input="hi")
            with pytest.raises(NotFoundError):
                await show(other, made.id)
            assert await show(again, made.id)
