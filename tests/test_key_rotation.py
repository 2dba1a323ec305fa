"""A rotation of the Azure OpenAI key, with calls all along: two runs of `up`, and no call that fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from apim_emulator.pulumi.deploy import load_project
from sandbox.client import Credentials
from sandbox.load import Caller, Load, calling
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


@asynccontextmanager
async def calls(sandbox: Sandbox) -> AsyncIterator[Load]:
    key = sandbox.deployment.outputs["openaiSubscriptionKey"]
    async with calling([Caller(f"{sandbox.url}/openai", "chat", lambda: Credentials(key=key))]) as load:
        yield load


@KEPT
async def test_no_call_fails_while_both_keys_are_replaced(key: dict[str, Any]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(**key))
        (account,) = sandbox.cloud.accounts()
        async with calls(sandbox) as load:
            await sandbox.deploy(PROJECT, config(**key, accountKey="key2"))
            await load.some_more()
            sandbox.cloud.regenerate_key(account.id, "key1")
            await load.some_more()
            await sandbox.deploy(PROJECT, config(**key, accountKey="key1"))
            await load.some_more()
            sandbox.cloud.regenerate_key(account.id, "key2")
            await load.some_more()
        (rotated,) = sandbox.cloud.accounts()

    assert set(load.statuses) == {200}
    assert not set(rotated.keys) & set(account.keys)


@KEPT
async def test_a_key_that_is_regenerated_while_it_is_presented_fails_calls_until_up_has_run(
    key: dict[str, Any],
) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(**key))
        (account,) = sandbox.cloud.accounts()
        async with calls(sandbox) as load:
            sandbox.cloud.regenerate_key(account.id, "key1")
            await load.some_more()
            before = set(load.statuses)
            await sandbox.deploy(PROJECT, config(**key))
            done = len(load.statuses) + 1  # one call may be under way
            await load.some_more()

    assert before == {200, 401}
    assert set(load.statuses[done:]) == {200}
