"""Teams as their callers meet them: the OpenAI clients, the program's own deployment, and the sandbox's clock."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openai import APIStatusError, DefaultAsyncHttpxClient
from pytest_asyncio import fixture

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.clock import Clock
from apim_emulator.pulumi.deploy import load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.client import Client, Credentials, new_http_client
from sandbox.runtime import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PROJECT = load_project(Path(__file__).parents[2])
PATHS = {"chat": "openai", "v1": "v1/openai/v1", "both": "both/openai"}


def config(member: str) -> dict[str, Any]:
    """Three APIs, and teams of which each may call some; the principal `member` is in the team `both`."""
    return {
        "azure-native:location": "swedencentral",
        "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
        "openai-gateway:openai": {"deployments": [{"name": name, "model": "gpt-4o"} for name in ("large", "small")]},
        "openai-gateway:apis": [
            {"name": "chat", "path": PATHS["chat"]},
            {
                "name": "v1",
                "path": PATHS["v1"],
                "surface": "v1",
                "models": ["large", {"name": "fast", "deployment": "small"}],
            },
            {
                "name": "both",
                "path": PATHS["both"],
                "auth": "entra",
                "entra": {"roles": ["Chat.User"]},
                "subscriptionRequired": True,
            },
        ],
        "openai-gateway:teams": [
            {"name": "research", "apis": ["chat", "v1"], "models": ["small", "fast"]},
            {
                "name": "support",
                "apis": ["chat"],
                "limits": [{"per": "product", "requestsPerMinute": 3}],
                "subscriptions": ["app", "batch"],
            },
            {"name": "twin", "apis": ["chat"], "limits": [{"per": "product", "requestsPerMinute": 3}]},
            {"name": "both", "apis": ["both"], "principals": [member]},
        ],
    }


class Hub(NamedTuple):
    """What was deployed, and how to call it."""

    sandbox: Sandbox
    http: DefaultAsyncHttpxClient

    def key(self, team: str, subscription: str = "default", kind: str = "Primary") -> str:
        return str(self.sandbox.deployment.outputs[f"{team}{kind}Keys"][subscription])

    async def token(self, client: Any) -> str:
        form = client_credentials_form(
            client.client_id, client.secrets[0], scope=self.sandbox.deployment.outputs["bothScopes"][-1]
        )
        return await request_token(self.sandbox.token_url, form)

    async def call(self, key: str | None, api: str = "chat", model: str = "small", token: str | None = None) -> str:
        """Call with a key, and return the status, with the code of a refusal."""
        client = Client(f"{self.sandbox.url}/{PATHS[api]}", Credentials(key=key, token=token), self.http)
        before = len(self.sandbox.openai.received)
        try:
            await client.chat(model, "hi")
        except APIStatusError as error:
            assert len(self.sandbox.openai.received) == before
            return f"{error.status_code} {error.code or ''}".strip()
        return "200"


@fixture(scope="module", loop_scope="module")
async def hub() -> AsyncIterator[Hub]:
    async with (
        Sandbox(cloud=Cloud(deployer=Deployer.ADMINISTRATOR), clock=Clock(1_700_000_000)) as sandbox,
        new_http_client() as http,
    ):
        await sandbox.deploy(PROJECT, config(sandbox.callers.client.service_principal_id))
        yield Hub(sandbox, http)


async def test_both_keys_of_a_team_open_its_apis(hub: Hub) -> None:
    for kind in ("Primary", "Secondary"):
        assert await hub.call(hub.key("research", kind=kind)) == "200"
        assert await hub.call(hub.key("research", kind=kind), "v1", "fast") == "200"


async def test_and_no_other_api(hub: Hub) -> None:
    assert await hub.call(hub.key("support", "app"), "v1", "large") == "401"
    assert await hub.call(hub.key("support", "batch"), "both") == "401"
    assert await hub.call(hub.key("both"), "chat") == "401"


@pytest.mark.parametrize(("api", "model"), [("chat", "large"), ("chat", "SMALL"), ("v1", "large"), ("v1", "small")])
async def test_a_model_that_is_not_the_teams_is_refused_as_openai_does(hub: Hub, api: str, model: str) -> None:
    assert await hub.call(hub.key("research"), api, model) == "403 model_not_found"


async def test_the_team_narrows_what_the_api_offers_and_the_api_what_the_team_may(hub: Hub) -> None:
    """`small` is the team's, and v1 offers it as `fast` alone."""
    await hub.call(hub.key("research"), "v1", "fast")

    body: Any = hub.sandbox.openai.received[-1].body
    assert body["model"] == "small"
    assert await hub.call(hub.key("research"), "v1", "small") == "403 model_not_found"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "fast", "Model": "large", "messages": []}',
        b'{"messages": []}',
        b'["fast"]',
        b'{"model": ["fast"], "messages": []}',
    ],
)
async def test_a_body_that_could_be_read_in_two_ways_names_no_model(hub: Hub, body: bytes) -> None:
    before = len(hub.sandbox.openai.received)

    answer = await hub.http.post(
        f"{hub.sandbox.url}/{PATHS['v1']}/chat/completions",
        content=body,
        headers={"api-key": hub.key("research"), "Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "missing_model")
    assert len(hub.sandbox.openai.received) == before


async def test_a_teams_limit_is_shared_by_its_subscriptions_and_by_nobody_else(hub: Hub) -> None:
    hub.sandbox.clock.advance(120)
    app, batch = hub.key("support", "app"), hub.key("support", "batch")

    assert [await hub.call(key) for key in (app, batch, app, batch)] == ["200", "200", "200", "429"]
    assert await hub.call(hub.key("twin")) == "200"
    hub.sandbox.clock.advance(60)
    assert await hub.call(batch) == "200"


async def test_a_key_and_a_role_are_needed_together(hub: Hub) -> None:
    callers = hub.sandbox.callers
    member, stranger = await hub.token(callers.client), await hub.token(callers.without_role)

    assert await hub.call(hub.key("both"), "both", token=member) == "200"
    assert await hub.call(hub.key("both"), "both", token=stranger) == "401"
    assert await hub.call(hub.key("both"), "both") == "401"
    assert await hub.call(hub.key("research"), "both", token=member) == "401"
    assert await hub.call(None, "both", token=member) == "401"


async def test_the_key_of_an_api_itself_is_held_to_no_team(hub: Hub) -> None:
    key = str(hub.sandbox.deployment.outputs["chatSubscriptionKey"])

    assert [await hub.call(key, model=model) for model in ("small", "large")] == ["200", "200"]


async def test_a_team_that_goes_is_out_and_the_others_stay() -> None:
    cloud = Cloud(deployer=Deployer.ADMINISTRATOR)
    async with Sandbox(cloud=cloud, clock=Clock(1_700_000_000)) as sandbox, new_http_client() as http:
        values = config(sandbox.callers.client.service_principal_id)
        await sandbox.deploy(PROJECT, values)
        hub = Hub(sandbox, http)
        gone, kept = hub.key("research"), hub.key("support", "app")
        teams = values["openai-gateway:teams"][1:]

        await sandbox.deploy(PROJECT, {**values, "openai-gateway:teams": teams})

        assert await hub.call(gone) == "401"
        assert await hub.call(kept) == "200"
