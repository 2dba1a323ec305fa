"""What is kept of the OpenAI client's calls, as the program deploys it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AuthenticationError

from apim_emulator.clock import Clock
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox
from tests.sandbox.test_runtime import PROJECT, config

pytestmark = pytest.mark.slow

DAY = 24 * 3600
PROMPT = "The merger is on Monday."
TABLES = (
    "ApiManagementGatewayLogs",
    "ApiManagementGatewayLlmLog",
    "AppDependencies",
    "AppExceptions",
    "AppMetrics",
    "AppRequests",
    "AppTraces",
)


class Observed:
    """The program in a sandbox, a caller, and what is kept of its calls."""

    def __init__(self, sandbox: Sandbox, client: AsyncAzureOpenAI, key: str) -> None:
        self.sandbox = sandbox
        self.client = client
        self.key = key

    async def ask(self, **more: Any) -> Any:
        given: Any = {"model": "chat", "messages": [{"role": "user", "content": PROMPT}], **more}
        return await self.client.chat.completions.create(**given)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.sandbox.telemetry.table(table)

    def kept(self) -> str:
        """Every row of every table."""
        return json.dumps({table: self.rows(table) for table in TABLES}, default=str)


@asynccontextmanager
async def observed(observability: Any, **values: Any) -> AsyncIterator[Observed]:
    given = {
        "gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
        "openai": {"deployments": [{"name": "chat", "model": "gpt-4o"}]},
        "observability": observability,
        **values,
    }
    async with Sandbox(clock=Clock(1_700_000_000)) as sandbox, new_http_client() as http:
        await sandbox.deploy(PROJECT, config(**given))
        key = str(sandbox.deployment.outputs["openaiSubscriptionKey"])
        client = AsyncAzureOpenAI(
            base_url=f"{sandbox.url}/openai", api_key=key, api_version="2024-10-21", http_client=http, max_retries=0
        )
        yield Observed(sandbox, client, key)


CREATE = {"appInsights": "create"}
PROMPTS = {"prompts": {"maxBytes": 8192, "retentionDays": 7}}


async def test_calls_tokens_and_failures_are_kept_by_who_made_them() -> None:
    async with observed(CREATE) as found:
        await found.ask()

        assert [row["ResultCode"] for row in found.rows("AppRequests")] == ["200"]
        (total,) = (row for row in found.rows("AppMetrics") if row["Name"] == "Total Tokens")
        assert total["Properties"] == {
            "API ID": "openai",
            "Product ID": "none",
            "Subscription ID": "openai-callers",
            "Model": "chat",
        }
        (log,) = found.rows("ApiManagementGatewayLogs")
        (tokens,) = found.rows("ApiManagementGatewayLlmLog")
        assert (log["ApiId"], log["ApimSubscriptionId"], log["ResponseCode"]) == ("openai", "openai-callers", 200)
        assert tokens["CorrelationId"] == log["CorrelationId"]
        assert tokens["TotalTokens"] == total["Sum"]


async def test_a_refusal_is_kept_too() -> None:
    async with observed(CREATE) as found:
        with pytest.raises(AuthenticationError):
            await found.client.with_options(api_key="0" * 32).chat.completions.create(
                model="chat", messages=[{"role": "user", "content": PROMPT}]
            )

        assert [row["ResponseCode"] for row in found.rows("ApiManagementGatewayLogs")] == [401]
        assert [row["Success"] for row in found.rows("AppRequests")] == [False]


@pytest.mark.parametrize("observability", [CREATE, PROMPTS])
async def test_credentials_are_never_kept(observability: Any) -> None:
    async with observed(observability, limits=[{"per": "subscription", "tokensPerMinute": 10000}]) as found:
        more = {"Authorization": "Bearer eyJhbGciOi", "X-Secret": "hunter2"}
        await found.ask(extra_headers=more, extra_query={"subscription-key": "c0ffee", "api-key": "c0ffee"})

        kept = found.kept()
        for secret in (found.key, "eyJhbGciOi", "hunter2", "c0ffee"):
            assert secret not in kept
        assert len(found.rows("AppRequests")) == len(found.rows("ApiManagementGatewayLogs")) == 1


async def test_neither_prompts_nor_answers_are_kept_unless_they_are_asked_for() -> None:
    async with observed(CREATE) as found:
        answer = await found.ask()

        assert PROMPT in answer.choices[0].message.content
        assert PROMPT not in found.kept()


async def test_prompts_and_answers_are_kept_if_they_are_asked_for() -> None:
    async with observed(PROMPTS) as found:
        await found.ask()
        stream = await found.ask(stream=True)
        assert [chunk async for chunk in stream]

        logged = found.rows("ApiManagementGatewayLlmLog")
        assert [PROMPT in json.dumps(row["RequestMessages"]) for row in logged if row["RequestMessages"]] == [True] * 2
        assert [PROMPT in json.dumps(row["ResponseMessages"]) for row in logged if row["ResponseMessages"]] == [
            True
        ] * 2
        for table in TABLES:
            if table != "ApiManagementGatewayLlmLog":
                assert PROMPT not in json.dumps(found.rows(table), default=str)


async def test_prompts_are_kept_up_to_a_size() -> None:
    async with observed({"prompts": {"maxBytes": 30, "retentionDays": 7}}) as found:
        await found.ask()

        logged = found.rows("ApiManagementGatewayLlmLog")
        kept = [row[name] for row in logged for name in ("RequestMessages", "ResponseMessages") if row[name]]
        assert [len(text) for text in kept] == [30, 30]
        assert PROMPT not in found.kept()


async def test_prompts_are_gone_before_what_else_is_kept() -> None:
    async with observed(PROMPTS) as found:
        await found.ask()
        found.sandbox.clock.advance(8 * DAY)

        assert PROMPT not in found.kept()
        assert found.rows("ApiManagementGatewayLlmLog") == []
        assert len(found.rows("ApiManagementGatewayLogs")) == 1
        found.sandbox.clock.advance(30 * DAY)
        assert found.rows("ApiManagementGatewayLogs") == []


@pytest.mark.parametrize("observability", [CREATE, PROMPTS])
async def test_events_are_not_held_back(observability: Any) -> None:
    async with observed(observability) as found:
        stream = await found.ask(stream=True)
        assert [chunk async for chunk in stream]

        # A gateway that waits for the whole of a body knows its length.
        assert "Content-Length" not in stream.response.headers


async def test_application_insights_gets_a_share_of_the_calls_and_the_logs_get_all() -> None:
    async with observed({"sampling": 0}) as found:
        await found.ask()

        assert found.rows("AppRequests") == []
        assert len(found.rows("AppMetrics")) == 3
        assert len(found.rows("ApiManagementGatewayLogs")) == len(found.rows("ApiManagementGatewayLlmLog")) == 1


async def test_each_of_the_two_can_be_left_out() -> None:
    async with observed({"appInsights": False}) as found:
        await found.ask()

        assert [table for table in TABLES if found.rows(table)] == list(TABLES[:2])
    async with observed({"logAnalytics": {"gatewayLogs": False}}) as found:
        await found.ask()

        assert [table for table in TABLES if found.rows(table)] == ["AppDependencies", "AppMetrics", "AppRequests"]


async def test_consumption_has_application_insights_alone() -> None:
    gateway = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", "sku": "Consumption"}
    async with observed(CREATE, gateway=gateway) as found:
        await found.ask()

        assert [table for table in TABLES if found.rows(table)] == ["AppDependencies", "AppMetrics", "AppRequests"]


async def test_what_is_adopted_keeps_it_too() -> None:
    shared = {"resourceGroup": "rg-shared"}
    adopted = {
        "appInsights": {"existing": {"name": "appi-shared", **shared}},
        "logAnalytics": {"existing": {"name": "log-hub", **shared}},
    }
    async with observed(adopted) as found:
        await found.ask()

        telemetry, cloud = found.sandbox.telemetry, found.sandbox.cloud
        ids = {workspace.id.rpartition("/")[2]: workspace.id for workspace in cloud.workspaces()}
        assert len(telemetry.table("AppRequests", ids["log-appi-shared"])) == 1
        assert len(telemetry.table("ApiManagementGatewayLogs", ids["log-hub"])) == 1


async def test_without_observability_nothing_is_kept() -> None:
    async with observed({}) as found:
        await found.ask()

        assert [table for table in TABLES if found.rows(table)] == []
