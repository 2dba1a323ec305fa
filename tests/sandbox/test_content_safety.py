"""What content safety does to the calls of the OpenAI client, as the program deploys it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, PermissionDeniedError

from apim_emulator.services.content_safety import COGNITIVE_SERVICES_USER
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.client import Client, Credentials, new_http_client
from sandbox.runtime import Sandbox
from tests.sandbox.test_runtime import PROJECT, config

pytestmark = pytest.mark.slow

SAFETY = {
    "categories": {"Hate": 4},
    "outputType": "EightSeverityLevels",
    "shieldPrompt": True,
    "blocklists": ["rivals", "secrets"],
}
LISTS = {"rivals": ("Fabrikam",), "secrets": ("Blue Yonder",)}
REFUSAL = "Request failed content safety check."


@asynccontextmanager
async def deployed(blocklists: Mapping[str, tuple[str, ...]] = LISTS, **values: Any) -> AsyncIterator[Sandbox]:
    async with Sandbox(blocklists=blocklists) as sandbox:
        await sandbox.deploy(PROJECT, config(**values))
        yield sandbox


async def ask(sandbox: Sandbox, prompt: str, api: str = "openai", path: str = "openai") -> str:
    credentials = Credentials(key=sandbox.deployment.outputs[f"{api}SubscriptionKey"])
    async with new_http_client() as http:
        return await Client(f"{sandbox.url}/{path}", credentials, http).chat("chat", prompt)


def revoke(sandbox: Sandbox) -> None:
    """Take the gateway's role on the account that checks content."""
    for entry in sandbox.deployment.registrations:
        if str(entry.inputs.get("roleDefinitionId")).endswith(COGNITIVE_SERVICES_USER):
            sandbox.cloud.delete(entry.id)


async def test_harmless_prompts_are_answered() -> None:
    async with deployed(safety=SAFETY) as sandbox:
        assert await ask(sandbox, "trigger-hate-3") == "You said: trigger-hate-3"


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("trigger-hate-4", id="category"),
        pytest.param("trigger-attack", id="attack"),
        pytest.param("ask fabrikam", id="first blocklist"),
        pytest.param("ask Blue Yonder", id="second blocklist"),
    ],
)
async def test_harmful_prompts_get_403_and_reach_no_model(prompt: str) -> None:
    async with deployed(safety=SAFETY) as sandbox:
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, prompt)


async def test_answers_are_checked_only_on_demand() -> None:
    """The stand-in model begins every answer with `You said:`, which no prompt has."""
    lists = {"answers": ("You said",)}
    async with deployed(lists, safety={"blocklists": ["answers"]}) as sandbox:
        assert await ask(sandbox, "hello") == "You said: hello"
    async with deployed(lists, safety={"blocklists": ["answers"], "enforceOnCompletions": True}) as sandbox:
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "hello")


async def test_a_streamed_answer_ends_where_it_turns_harmful() -> None:
    safety = {"blocklists": ["rivals"], "enforceOnCompletions": True, "window": {"size": 8, "overlap": 6}}
    async with deployed({"rivals": ("said:",)}, safety=safety) as sandbox, new_http_client() as http:
        key = sandbox.deployment.outputs["openaiSubscriptionKey"]
        client = Client(f"{sandbox.url}/openai", Credentials(key=key), http)
        pieces = client.stream("chat", "hello hello hello")

        assert "hello" not in "".join([piece async for piece in _until_it_ends(pieces)])


async def _until_it_ends(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield the pieces of a stream that may break off."""
    with suppress(APIConnectionError):
        async for piece in pieces:
            yield piece


async def test_what_cannot_be_checked_is_refused() -> None:
    async with deployed(safety=SAFETY) as sandbox:
        revoke(sandbox)

        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "hello")


async def test_a_blocklist_that_the_account_lacks_closes_the_api() -> None:
    async with deployed({}, safety=SAFETY) as sandbox:
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "hello")


async def test_a_caller_without_a_key_learns_nothing_from_the_check() -> None:
    async with deployed(safety=SAFETY) as sandbox, aiohttp.ClientSession() as http:
        url = f"{sandbox.url}/openai/deployments/chat/chat/completions?api-version=2024-10-21"
        body = {"messages": [{"role": "user", "content": "trigger-hate-4"}]}
        async with http.post(url, json=body) as response:
            assert response.status == 401


async def test_an_api_has_its_own_checks_and_shares_the_account() -> None:
    apis = [
        {"name": "openai", "path": "openai"},
        {"name": "strict", "path": "strict/openai", "safety": {"categories": {"Violence": 2}}},
    ]
    async with deployed(safety=SAFETY, apis=apis) as sandbox:
        assert await ask(sandbox, "trigger-violence-2") == "You said: trigger-violence-2"
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "trigger-violence-2", "strict", "strict/openai")
        assert await ask(sandbox, "trigger-hate-4", "strict", "strict/openai") == "You said: trigger-hate-4"

        kinds = [entry.inputs["kind"] for entry in sandbox.deployment.registrations if entry.type.endswith(":Account")]
    assert sorted(kinds) == ["ContentSafety", "OpenAI"]


async def test_an_adopted_account_checks() -> None:
    account = {"existing": {"name": "cs-shared", "resourceGroup": "rg-shared"}}
    async with deployed(safety={"categories": {"Hate": 4}, "account": account}) as sandbox:
        assert await ask(sandbox, "hello") == "You said: hello"
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "trigger-hate-4")


@pytest.mark.parametrize("identity", ["system-assigned", "user-assigned"])
@pytest.mark.parametrize("auth", ["key", "managed-identity"])
async def test_the_gateways_own_identity_checks_in_every_mode(auth: str, identity: str) -> None:
    gateway = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", "identity": identity}
    async with deployed(auth=auth, gateway=gateway, safety=SAFETY) as sandbox:
        assert await ask(sandbox, "hello") == "You said: hello"
        with pytest.raises(PermissionDeniedError, match=REFUSAL):
            await ask(sandbox, "trigger-hate-4")


async def test_a_callers_token_is_no_credential_for_the_check() -> None:
    """The gateway's identity checks: the token of a caller, who holds no role, does not decide."""
    url = "https://login.contoso.com/.well-known/openid-configuration"
    jwt = {"openidConfigUrls": [url], "audiences": ["ai"]}
    async with deployed(auth="entra", jwt=jwt, safety=SAFETY) as sandbox, new_http_client() as http:
        provider = sandbox.providers[url]
        form = client_credentials_form("client", provider.secret, audience="ai")
        token = await request_token(provider.token_url, form)
        client = Client(f"{sandbox.url}/openai", Credentials(token=token), http)

        assert await client.chat("chat", "hello") == "You said: hello"
        with pytest.raises(APIStatusError, match=REFUSAL):
            await client.chat("chat", "trigger-hate-4")
        revoke(sandbox)
        with pytest.raises(APIStatusError, match=REFUSAL):
            await client.chat("chat", "hello")


async def test_every_prompt_of_the_v1_surface_is_checked() -> None:
    apis = [{"name": "openai", "path": "openai/v1", "surface": "v1"}]
    async with deployed(safety={"categories": {"Hate": 4}}, apis=apis) as sandbox, new_http_client() as http:
        key = sandbox.deployment.outputs["openaiSubscriptionKey"]
        url = f"{sandbox.url}/openai/v1"
        headers = {"api-key": key}
        client = AsyncOpenAI(base_url=url, api_key="none", http_client=http, max_retries=0, default_headers=headers)
        bad = "trigger-hate-4"
        part: Any = {"role": "user", "content": [{"type": "input_text", "text": bad}]}
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: client.responses.create(model="chat", input=bad),
            lambda: client.responses.create(model="chat", input=[part]),
            lambda: client.responses.create(model="chat", input="hello", instructions=bad),
            lambda: client.responses.create(model="chat", input=bad, stream=True),
            lambda: client.chat.completions.create(model="chat", messages=[{"role": "system", "content": bad}]),
            lambda: client.embeddings.create(model="chat", input=["hello", bad]),
        ]

        for call in calls:
            with pytest.raises(PermissionDeniedError, match=REFUSAL):
                await call()
        made = await client.responses.create(model="chat", input="hello")
        assert made.output_text == "You said: hello"
        assert (await client.responses.retrieve(made.id)).output_text == "You said: hello"
