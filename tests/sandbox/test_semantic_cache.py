"""What the semantic cache does to the calls of the OpenAI client, as the program deploys it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, PermissionDeniedError, RateLimitError

from apim_emulator.gateway import CallRecord
from apim_emulator.model import Subscription
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox
from tests.sandbox.test_runtime import PROJECT, config

pytestmark = pytest.mark.slow

OTHER_KEY = "9" * 32
DEPLOYMENTS = [
    {"name": "chat", "model": "gpt-4o"},
    {"name": "small", "model": "gpt-4o-mini"},
    {"name": "embed", "model": "text-embedding-3-small"},
]
CACHE: dict[str, Any] = {"scoreThreshold": 0.05, "duration": 60, "embeddings": "embed", "varyBy": "subscription"}
QUESTION = "Where is the office?"
REWORDED = "The office is where?"
"""The same words: the stand-in's embeddings tell texts apart by them."""


class Caller:
    """The OpenAI client of a caller, and where the answers came from."""

    def __init__(self, client: AsyncOpenAI, calls: list[CallRecord]) -> None:
        self.client = client
        self._calls = calls

    async def ask(self, prompt: str = QUESTION, model: str = "chat", **more: Any) -> tuple[str, str]:
        """Return the answer, and whether it is the model's own or one from the cache."""
        given: Any = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
        answer = await self.client.chat.completions.create(**given)
        return answer.choices[0].message.content, self.last()

    def last(self) -> str:
        return "model" if self._calls[-1].backend_called else "cache"


class Deployed:
    """The program in a sandbox, and its callers."""

    def __init__(self, sandbox: Sandbox, calls: list[CallRecord]) -> None:
        self.sandbox = sandbox
        self.calls = calls

    @asynccontextmanager
    async def caller(
        self, path: str = "openai", *, key: str | None = None, token: str | None = None
    ) -> AsyncIterator[Caller]:
        url = f"{self.sandbox.url}/{path}"
        login: dict[str, Any] = {"api_key": key} if token is None else {"azure_ad_token": token}
        async with new_http_client() as http:
            shared: dict[str, Any] = {"base_url": url, "http_client": http, "max_retries": 0}
            if path.endswith("/v1"):
                client = AsyncOpenAI(api_key="none", default_headers={"api-key": key or ""}, **shared)
            else:
                client = AsyncAzureOpenAI(api_version="2024-10-21", **login, **shared)
            yield Caller(client, self.calls)

    @property
    def key(self) -> str:
        return str(self.sandbox.deployment.outputs["openaiSubscriptionKey"])


@asynccontextmanager
async def deployed(cache: Any = CACHE, **values: Any) -> AsyncIterator[Deployed]:
    calls: list[CallRecord] = []
    async with Sandbox(recorder=calls.append, blocklists={"rivals": ("said:",)}) as sandbox:
        await sandbox.deploy(PROJECT, config(openai={"deployments": DEPLOYMENTS}, cache=cache, **values))
        yield Deployed(sandbox, calls)


async def test_a_question_in_other_words_is_answered_from_the_cache() -> None:
    async with deployed() as found, found.caller(key=found.key) as caller:
        assert await caller.ask() == (f"You said: {QUESTION}", "model")
        assert await caller.ask(REWORDED) == (f"You said: {QUESTION}", "cache")
        assert await caller.ask("Where is lunch?") == ("You said: Where is lunch?", "model")
        found.sandbox.clock.advance(60)
        assert (await caller.ask())[1] == "model"


async def test_the_threshold_is_a_distance() -> None:
    near = f"Please: {QUESTION}"
    async with deployed({**CACHE, "scoreThreshold": 0.5}) as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask(prompt))[1] for prompt in (QUESTION, near)] == ["model", "cache"]
    async with deployed({**CACHE, "scoreThreshold": 0}) as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask(prompt))[1] for prompt in (QUESTION, near, QUESTION)] == ["model", "model", "cache"]


async def test_another_subscription_gets_its_own_answer() -> None:
    async with deployed() as found:
        service = found.sandbox.service
        other = Subscription(id="other", scope="/apis", primary_key=OTHER_KEY, secondary_key="8" * 32)
        found.sandbox.gateway.load(replace(service, subscriptions=(*service.subscriptions, other)))
        async with found.caller(key=found.key) as one, found.caller(key=OTHER_KEY) as two:
            assert [(await caller.ask())[1] for caller in (one, two, one, two)] == ["model", "model", "cache", "cache"]


async def test_another_caller_gets_its_own_answer() -> None:
    """Two users of the same application: its token names both."""
    async with deployed({**CACHE, "varyBy": "caller"}, auth="entra", entra={"roles": ["Chat.User"]}) as found:
        audience = found.sandbox.deployment.outputs["openaiAudience"]

        def token(who: str) -> str:
            client_id = found.sandbox.callers.client.client_id
            claims = {"roles": ["Chat.User"]}
            return found.sandbox.entra.issue(audience, client_id=client_id, principal_id=who, claims=claims)

        async with found.caller(token=token("one")) as one, found.caller(token=token("two")) as two:
            assert [(await caller.ask())[1] for caller in (one, two, one, two)] == ["model", "model", "cache", "cache"]


async def test_another_deployment_gives_its_own_answer() -> None:
    async with deployed() as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask(model=model))[1] for model in ("chat", "small", "chat")] == [
            "model",
            "model",
            "cache",
        ]


async def test_streams_are_never_cached() -> None:
    async def stream(caller: Caller) -> str:
        given: Any = {"model": "chat", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
        assert [chunk async for chunk in await caller.client.chat.completions.create(**given)]
        return caller.last()

    async with deployed() as found, found.caller(key=found.key) as caller:
        await caller.ask()
        assert [await stream(caller) for _ in range(2)] == ["model", "model"]
        assert (await caller.ask())[1] == "cache"


async def test_on_v1_chat_is_cached_and_responses_are_not() -> None:
    apis = [{"name": "openai", "path": "openai/v1", "surface": "v1"}]
    async with deployed(apis=apis) as found, found.caller("openai/v1", key=found.key) as caller:
        assert [(await caller.ask(model=model))[1] for model in ("chat", "small", "chat")] == [
            "model",
            "model",
            "cache",
        ]
        for store in (True, False):
            made = [await caller.client.responses.create(model="chat", input="Hello", store=store) for _ in range(2)]
            assert caller.last() == "model"
            assert made[0].id != made[1].id


@pytest.mark.parametrize("auth", ["key", "managed-identity"])
async def test_a_service_with_a_user_assigned_identity_gets_the_other_one_too(auth: str) -> None:
    gateway = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", "identity": "user-assigned"}
    async with deployed(gateway=gateway, auth=auth) as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "cache"]


async def test_prompts_that_cannot_be_compared_are_answered_by_the_model() -> None:
    async with deployed() as found, found.caller(key=found.key) as caller:
        found.sandbox.cloud.regenerate_database_key(_id(found, ":Database"), "Primary")
        found.sandbox.gateway.load(found.sandbox.service)
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "model"]


async def test_a_key_that_was_regenerated_is_presented_once_up_has_run() -> None:
    values = {"openai": {"deployments": DEPLOYMENTS}, "cache": CACHE}
    async with deployed() as found, found.caller(key=found.key) as caller:
        found.sandbox.cloud.regenerate_database_key(_id(found, ":Database"), "Primary")
        await found.sandbox.deploy(PROJECT, config(**values))
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "cache"]


async def test_what_is_not_safe_is_neither_answered_nor_kept() -> None:
    """The stand-in model begins every answer with `You said:`, which is on the blocklist."""
    safety = {"blocklists": ["rivals"], "enforceOnCompletions": True}
    async with deployed(safety=safety) as found, found.caller(key=found.key) as caller:
        for _ in range(2):
            with pytest.raises(PermissionDeniedError, match="Request failed content safety check"):
                await caller.ask()
            assert caller.last() == "model"


async def test_limits_count_the_calls_that_the_cache_answers() -> None:
    limits = [{"per": "subscription", "requestsPerMinute": 2}]
    async with deployed(limits=limits) as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "cache"]
        with pytest.raises(RateLimitError):
            await caller.ask()


async def test_an_adopted_redis_keeps_the_answers() -> None:
    redis = {"existing": {"name": "redis-shared", "resourceGroup": "rg-shared"}}
    async with deployed({**CACHE, "redis": redis}) as found, found.caller(key=found.key) as caller:
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "cache"]


async def test_the_cache_that_an_adopted_service_has_keeps_the_answers() -> None:
    gateway = {"existing": {"name": "apim-shared", "resourceGroup": "rg-shared"}}
    async with (
        deployed({**CACHE, "redis": {"connected": True}}, gateway=gateway) as found,
        found.caller(key=found.key) as caller,
    ):
        assert [(await caller.ask())[1] for _ in range(2)] == ["model", "cache"]
        types = [entry.type for entry in found.sandbox.deployment.registrations]
    assert [name for name in types if name.endswith((":RedisEnterprise", ":Cache"))] == []


async def test_teams_share_the_redis_and_no_answers() -> None:
    teams = [{"name": name, "apis": ["openai"]} for name in ("one", "two")]
    async with deployed(teams=teams) as found:
        subscriptions = {one.id: one.primary_key for one in found.sandbox.service.subscriptions}
        keys = [next(key for name, key in subscriptions.items() if name.startswith(team)) for team in ("one", "two")]
        async with found.caller(key=keys[0]) as one, found.caller(key=keys[1]) as two:
            assert [(await caller.ask())[1] for caller in (one, two, one)] == ["model", "model", "cache"]


async def test_apis_share_the_redis_and_no_answers() -> None:
    apis = [{"name": "openai", "path": "openai"}, {"name": "other", "path": "other/openai"}]
    async with deployed(apis=apis) as found:
        other = str(found.sandbox.deployment.outputs["otherSubscriptionKey"])
        async with found.caller(key=found.key) as one, found.caller("other/openai", key=other) as two:
            assert [(await caller.ask())[1] for caller in (one, two, one)] == ["model", "model", "cache"]
        types = [entry.type for entry in found.sandbox.deployment.registrations]
    assert sum(name.endswith(":RedisEnterprise") for name in types) == 1


def _id(found: Deployed, kind: str) -> str:
    return next(entry.id for entry in found.sandbox.deployment.registrations if entry.type.endswith(kind))
