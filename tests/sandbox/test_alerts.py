"""The alerts that a stack deploys, on the telemetry of calls with the real `openai` client: they fire, or are quiet."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openai import APIStatusError, AsyncAzureOpenAI

from apim_emulator.cli.instructions import API_VERSION
from apim_emulator.clock import Clock
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.azure_monitor import COLUMNS
from sandbox.client import new_http_client
from sandbox.runtime import Sandbox
from sandbox.spend import deployed_prices, spent
from tests.kql import alerts, run

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PROJECT = load_project(Path(__file__).parents[2])
HELLO: Any = [{"role": "user", "content": "Hello"}]
CONFIG = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {
        "accounts": [{"location": "swedencentral"}, {"location": "francecentral"}],
        "deployments": [{"name": "chat", "model": "gpt-5.6-sol"}],
    },
    "openai-gateway:limits": [
        {"per": "subscription", "requestsPerMinute": 20, "tokenQuota": 480, "tokenQuotaPeriod": "Hourly"}
    ],
    "openai-gateway:observability": {
        "alerts": {"email": "ops@contoso.com", "unauthorized": 2},
        "budget": 10,
        "prices": [{"model": "gpt-5.6-sol", "input": 400, "output": 2000}],  # a call costs a cent
    },
}
LATER = 2 * 24 * 3600
"""Seconds after which no rule looks back on what was before."""


class Stack:
    """The deployed program and its caller."""

    def __init__(self, sandbox: Sandbox, client: AsyncAzureOpenAI) -> None:
        self.sandbox = sandbox
        self._client = client
        self.hosts = [account.host for account in sandbox.cloud.accounts()]

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.clock.now(), UTC)

    async def call(self, times: int = 1, *, key: str | None = None) -> list[int]:
        """Return the status of each call."""
        client = self._client if key is None else self._client.with_options(api_key=key)
        found = []
        for _ in range(times):
            try:
                await client.chat.completions.create(model="chat", messages=HELLO)
            except APIStatusError as error:
                found.append(error.status_code)
            else:
                found.append(200)
        return found

    def fired(self) -> dict[str, list[dict[str, Any]]]:
        """Evaluate every rule as it is deployed, now."""
        tables = {name: self.sandbox.telemetry.table(name) for name in COLUMNS}
        rules = {
            found.name.removeprefix("alerts-"): found.inputs
            for found in self.sandbox.deployment.registrations
            if found.type.endswith(":ScheduledQueryRule")
        }
        told = {name: alerts(rule, tables, COLUMNS, self.now) for name, rule in rules.items()}
        return {name: rows for name, rows in told.items() if rows}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed() -> AsyncIterator[Stack]:
    async with Sandbox(clock=Clock(1_764_500_000)) as sandbox, new_http_client() as http:
        outputs = (await sandbox.deploy(PROJECT, CONFIG)).outputs
        client = AsyncAzureOpenAI(
            base_url=f"{sandbox.url}/openai",
            api_key=outputs["openaiSubscriptionKey"],
            api_version=API_VERSION,
            http_client=http,
            max_retries=0,
        )
        yield Stack(sandbox, client)


@pytest.fixture
def stack(deployed: Stack) -> Stack:
    """The stack at a time when all that was before is forgotten."""
    deployed.sandbox.clock.advance(LATER)
    return deployed


async def test_ordinary_calls_are_quiet(stack: Stack) -> None:
    assert await stack.call(20) == [200] * 20

    assert stack.fired() == {}


async def test_calls_with_a_wrong_key_are_told(stack: Stack) -> None:
    assert await stack.call(2, key="wrong") == [401] * 2
    assert stack.fired() == {}

    await stack.call(key="wrong")

    assert stack.fired() == {"unauthorized": [{"ApiId": "openai", "Reason": "SubscriptionKeyInvalid", "value": 3}]}


async def test_calls_beyond_a_limit_are_told(stack: Stack) -> None:
    assert sorted(await stack.call(25)) == [200] * 20 + [429] * 5

    assert stack.fired() == {"throttled": [{"ApiId": "openai", "value": 20}]}


async def test_an_account_that_throttles_is_told_although_no_caller_notices(stack: Stack) -> None:
    stack.sandbox.openai.throttle(stack.hosts[0], 60)

    assert await stack.call(4) == [200] * 4

    assert stack.fired() == {"breaker-open": [{"Target": stack.hosts[0], "value": 1}]}


async def test_a_pool_without_an_account_left_is_told(stack: Stack) -> None:
    for host in stack.hosts:
        stack.sandbox.openai.throttle(host, 60)

    statuses = await stack.call(4)

    fired = stack.fired()
    assert statuses == [429, 503, 503, 503]
    assert {row["Target"] for row in fired.pop("breaker-open")} == set(stack.hosts)
    assert fired == {"no-account-left": [{"ApiId": "openai", "value": 3}]}


async def test_a_quota_near_its_end_and_the_pace_of_spending_are_told(stack: Stack) -> None:
    for _ in range(2):
        assert await stack.call(19) == [200] * 19
        stack.sandbox.clock.advance(61)

    fired = stack.fired()
    assert fired.keys() == {"quota-near-its-end", "spend"}
    [quota], [spend] = fired.values() if list(fired) == ["quota-near-its-end", "spend"] else reversed(fired.values())
    assert quota["Header"] == "x-ratelimit-remaining-subscription-hourly-tokens"
    assert quota["value"] == pytest.approx(100 * (480 - 38 * 12) / 480)
    assert spend["value"] == pytest.approx(100 * 30 * 38 * 0.0112 / 10)


async def test_the_cost_of_these_calls_is_the_same_by_the_workbook(stack: Stack) -> None:
    metrics = stack.sandbox.telemetry.table("AppMetrics")
    [content] = stack.sandbox.cloud.workbooks()
    cost = next(item for item in json.loads(content)["items"] if item["name"] == "cost")

    [told] = spent(metrics, deployed_prices(stack.sandbox.cloud))

    [queried] = run(cost["content"]["query"], {"AppMetrics": metrics}, COLUMNS)
    assert (told.team, told.model) == (queried["Team"], queried["Model"]) == ("openai-callers", "chat")
    assert told.cost == pytest.approx(queried["Cost"])
    assert told.cost == pytest.approx(0.0112 * len({row["OperationId"] for row in metrics}))


async def test_accounts_that_cannot_be_reached_are_told(stack: Stack) -> None:
    stack.sandbox.network.route("*.openai.azure.com", "http://127.0.0.1:9")
    for _ in range(20):
        await stack.call()
        stack.sandbox.clock.advance(11)  # until circuit breakers let calls through again

    fired = stack.fired()
    assert fired["backend-errors"] == [{"ApiId": "openai", "value": 100}]
    assert {row["Target"] for row in fired["breaker-open"]} == set(stack.hosts)
