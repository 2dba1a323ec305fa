"""Limits as callers meet them: the OpenAI client, the program's own deployment, and the sandbox's clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, AsyncAzureOpenAI, AsyncOpenAI

from apim_emulator.clock import Clock
from apim_emulator.gateway import CallRecord
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox
from tests.sandbox.test_runtime import config, jwt

pytestmark = pytest.mark.slow

PROJECT = load_project(Path(__file__).parents[2])
PROVIDER = "https://login.contoso.com/.well-known/openid-configuration"


class Caller:
    """One caller, with the client that everybody uses."""

    def __init__(self, client: AsyncAzureOpenAI) -> None:
        self._client = client

    async def chat(self, **more: Any) -> int:
        return (await self.answer(**more))[0]

    async def answer(self, **more: Any) -> tuple[int, dict[str, str]]:
        """Return status and headers; a stream is read to its end."""
        messages: Any = [{"role": "user", "content": "hi"}]
        try:
            found = await self._client.chat.completions.with_raw_response.create(
                model="chat", messages=messages, **more
            )
        except APIStatusError as error:
            return error.status_code, dict(error.response.headers)
        if more.get("stream"):
            async for _ in found.parse():
                pass
        return found.status_code, dict(found.headers)


@asynccontextmanager
async def deployed(calls: list[CallRecord] | None = None, **values: Any) -> AsyncIterator[tuple[Sandbox, Any]]:
    """Deploy a config, and yield the sandbox and what makes a caller of it, by API and key or token."""
    recorder = None if calls is None else calls.append
    async with Sandbox(clock=Clock(1_700_000_000), recorder=recorder) as sandbox, new_http_client() as http:
        await sandbox.deploy(PROJECT, config(**values))

        def caller(path: str = "openai", *, key: str | None = None, token: str | None = None) -> Caller:
            login: dict[str, Any] = {"api_key": key} if token is None else {"azure_ad_token": token}
            url = f"{sandbox.url}/{path}"
            version = "2024-10-21"
            return Caller(AsyncAzureOpenAI(base_url=url, api_version=version, http_client=http, max_retries=0, **login))

        yield sandbox, caller


async def test_a_rate_of_tokens_is_429_until_the_minute_is_over() -> None:
    limits = [{"per": "subscription", "tokensPerMinute": 20}]
    async with deployed(limits=limits) as (sandbox, caller):
        me = caller(key=sandbox.deployment.outputs["openaiSubscriptionKey"])
        status, headers = await me.answer()
        consumed = int(headers["x-ratelimit-consumed-tokens"])
        assert (status, int(headers["x-ratelimit-remaining-subscription-tokens"])) == (200, 20 - consumed)
        while status == 200:
            status, headers = await me.answer()

        assert status == 429
        sandbox.clock.advance(int(headers["retry-after"]))
        assert await me.chat() == 200


async def test_a_quota_of_tokens_is_403_until_its_period_is_over() -> None:
    limits = [{"per": "api", "tokenQuota": 1, "tokenQuotaPeriod": "Daily"}]
    async with deployed(limits=limits) as (sandbox, caller):
        me = caller(key=sandbox.deployment.outputs["openaiSubscriptionKey"])

        assert [await me.chat(), await me.chat()] == [200, 403]
        sandbox.clock.advance(24 * 3600)
        assert await me.chat() == 200


async def test_a_stream_counts() -> None:
    limits = [{"per": "api", "tokenQuota": 1, "tokenQuotaPeriod": "Daily"}]
    async with deployed(limits=[{**limits[0], "tokenQuota": 12}]) as (sandbox, caller):
        me = caller(key=sandbox.deployment.outputs["openaiSubscriptionKey"])

        assert [await me.chat(stream=True), await me.chat(stream=True)] == [200, 403]


async def test_two_apis_do_not_share_the_stacks_limit_and_an_apis_own_is_added() -> None:
    apis = [
        {"name": "a", "path": "a/openai"},
        {"name": "b", "path": "b/openai", "limits": [{"per": "api", "requestsPerMinute": 1}]},
    ]
    async with deployed(limits=[{"per": "api", "requestsPerMinute": 2}], apis=apis) as (sandbox, caller):
        outputs = sandbox.deployment.outputs
        a = caller("a/openai", key=outputs["aSubscriptionKey"])
        b = caller("b/openai", key=outputs["bSubscriptionKey"])

        assert [await a.chat() for _ in range(3)] == [200, 200, 429]
        assert [await b.chat() for _ in range(2)] == [200, 429]


async def test_two_callers_with_tokens_do_not_share() -> None:
    limits = [{"per": "caller", "requestsPerMinute": 1}]
    async with deployed(auth="entra", jwt=jwt(PROVIDER), limits=limits) as (sandbox, caller):
        provider = sandbox.providers[PROVIDER]

        async def token(client: str) -> str:
            form = client_credentials_form(client, provider.secret, audience="ai")
            return await request_token(provider.token_url, form)

        client = await token("client")
        one, same = caller(token=client), caller(token=await token("client"))
        assert [await one.chat(), await same.chat()] == [200, 429]


async def test_applications_of_entra_do_not_share() -> None:
    limits = [{"per": "caller", "requestsPerMinute": 1}]
    entra = {"assignmentRequired": False, "requiredClaims": {"ver": ["2.0"]}}
    async with deployed(auth="entra", entra=entra, limits=limits) as (sandbox, caller):
        scope = sandbox.deployment.outputs["openaiScopes"][-1]

        async def token(application: Any) -> str:
            form = client_credentials_form(application.client_id, application.secrets[0], scope=scope)
            return await request_token(sandbox.token_url, form)

        callers = sandbox.callers
        found = [caller(token=await token(one)) for one in (callers.client, callers.without_role, callers.client)]
        assert [await one.chat() for one in found] == [200, 200, 429]


async def test_a_shadow_refuses_nothing_and_reports_what_it_would_have_refused() -> None:
    calls: list[CallRecord] = []
    limits = [{"per": "subscription", "tokensPerMinute": 1, "shadow": True}]
    async with deployed(calls, limits=limits) as (sandbox, caller):
        me = caller(key=sandbox.deployment.outputs["openaiSubscriptionKey"])

        assert [await me.chat() for _ in range(3)] == [200, 200, 200]

    assert [[metric.name for metric in call.metrics] for call in calls] == [
        [],
        ["Calls beyond a shadow limit"],
        ["Calls beyond a shadow limit"],
    ]
    assert [len(call.traces) for call in calls] == [0, 1, 1]


@pytest.mark.parametrize("limits", [[{"per": "api", "tokensPerMinute": 1000}], []], ids=["limits", "none"])
async def test_limits_open_nothing(limits: list[dict[str, Any]]) -> None:
    async with deployed(limits=limits) as (sandbox, caller):
        stranger = caller(key="0" * 32)

        assert await stranger.chat() == 401
        assert list(sandbox.openai.received) == []


async def test_metrics_say_what_each_answer_took_and_nothing_of_what_was_refused() -> None:
    calls: list[CallRecord] = []
    metrics = {"namespace": "openai", "dimensions": {"API ID": "api", "Key": "subscription", "Model": "model"}}
    apis = [{"name": "openai", "path": "openai", "models": ["chat"]}]
    limits = [{"per": "subscription", "requestsPerMinute": 2}]
    async with deployed(calls, metrics=metrics, apis=apis, limits=limits) as (sandbox, caller):
        me = caller(key=sandbox.deployment.outputs["openaiSubscriptionKey"])

        assert [await me.chat(), await me.chat(stream=True), await me.chat()] == [200, 200, 429]

    whole, streamed, refused = (call.metrics for call in calls)
    assert {metric.name for metric in whole} == {metric.name for metric in streamed}
    assert dict(whole[0].dimensions) == {"API ID": "openai", "Key": "openai-callers", "Model": "chat"}
    assert {metric.name for metric in whole} == {"Total Tokens", "Prompt Tokens", "Completion Tokens"}
    assert all(metric.value > 0 for metric in (*whole, *streamed))
    assert refused == ()


async def test_on_v1_each_model_has_its_amount_and_responses_count() -> None:
    deployments = [{"name": name, "model": "gpt-4o"} for name in ("chat", "other")]
    apis = [{"name": "openai", "path": "openai/v1", "surface": "v1"}]
    limits = [{"per": "model", "tokenQuota": 1, "tokenQuotaPeriod": "Daily"}]
    async with deployed(openai={"deployments": deployments}, apis=apis, limits=limits) as (sandbox, _):
        key = sandbox.deployment.outputs["openaiSubscriptionKey"]
        async with new_http_client() as http:
            client = AsyncOpenAI(
                base_url=f"{sandbox.url}/openai/v1",
                api_key="none",
                default_headers={"api-key": key},
                http_client=http,
                max_retries=0,
            )

            async def respond(model: str, *, stream: bool = False) -> int:
                try:
                    found = await client.responses.create(model=model, input="hi", stream=stream)
                    if stream:
                        _ = [event async for event in found]  # type: ignore[union-attr]
                except APIStatusError as error:
                    return error.status_code
                return 200

            assert [await respond("chat"), await respond("CHAT"), await respond("chat")] == [200, 403, 403]
            assert [await respond("other", stream=True), await respond("other", stream=True)] == [200, 403]
