"""A rotation of the Azure OpenAI key, with calls all along: two runs of `up`, and no call that fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import APIStatusError

from apim_emulator.pulumi.deploy import load_project
from sandbox.client import Client, Credentials, new_http_client
from sandbox.runtime import Sandbox
from tests.deployed import ROOT
from tests.modes import PUBLISHER

pytestmark = pytest.mark.slow

PROJECT = load_project(ROOT)
KEPT = pytest.mark.parametrize(
    "key",
    [
        pytest.param({"source": "named-value"}, id="named value"),
        pytest.param({"source": "key-vault"}, id="vault, versioned"),
        pytest.param({"source": "key-vault", "rotation": "refresh", "delivery": "header"}, id="vault, refresh"),
    ],
)


def config(**key: Any) -> dict[str, Any]:
    given = {
        "gateway": PUBLISHER,
        "openai": {"deployments": [{"name": "chat", "model": "gpt-4o"}]},
        "auth": "key",
        "key": key,
        "apis": [{"name": "openai", "path": "openai"}],
    }
    return {"azure-native:location": "swedencentral"} | {f"openai-gateway:{name}": given[name] for name in given}


class Calls:
    """What a caller who never stops calling was answered."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._another = asyncio.Condition()

    async def answered(self, status: int) -> None:
        async with self._another:
            self.statuses.append(status)
            self._another.notify_all()

    async def some_more(self) -> None:
        """Wait until calls that began after now have ended."""
        wanted = len(self.statuses) + 3
        async with self._another:
            await self._another.wait_for(lambda: len(self.statuses) >= wanted)


@asynccontextmanager
async def calling(sandbox: Sandbox) -> AsyncIterator[Calls]:
    calls = Calls()
    key = sandbox.deployment.outputs["openaiSubscriptionKey"]

    async def call(http: Any) -> None:
        client = Client(f"{sandbox.url}/openai", Credentials(key=key), http)
        while True:
            try:
                await client.chat("chat", "hi")
            except APIStatusError as error:
                await calls.answered(error.status_code)
            else:
                await calls.answered(200)

    async with new_http_client() as http:
        caller = asyncio.create_task(call(http))
        await calls.some_more()
        try:
            yield calls
        finally:
            caller.cancel()
            await asyncio.wait([caller])


@KEPT
async def test_no_call_fails_while_both_keys_are_replaced(key: dict[str, Any]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(**key))
        (account,) = sandbox.cloud.accounts()
        async with calling(sandbox) as calls:
            await sandbox.deploy(PROJECT, config(**key, accountKey="key2"))
            await calls.some_more()
            sandbox.cloud.regenerate_key(account.id, "key1")
            await calls.some_more()
            await sandbox.deploy(PROJECT, config(**key, accountKey="key1"))
            await calls.some_more()
            sandbox.cloud.regenerate_key(account.id, "key2")
            await calls.some_more()
        (rotated,) = sandbox.cloud.accounts()

    assert set(calls.statuses) == {200}
    assert not set(rotated.keys) & set(account.keys)


@KEPT
async def test_a_key_that_is_regenerated_while_it_is_presented_fails_calls_until_up_has_run(
    key: dict[str, Any],
) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(**key))
        (account,) = sandbox.cloud.accounts()
        async with calling(sandbox) as calls:
            sandbox.cloud.regenerate_key(account.id, "key1")
            await calls.some_more()
            before = set(calls.statuses)
            await sandbox.deploy(PROJECT, config(**key))
            done = len(calls.statuses) + 1  # one call may be under way
            await calls.some_more()

    assert before == {200, 401}
    assert set(calls.statuses[done:]) == {200}
