"""Who reaches whom: the OpenAI client outside and inside a virtual network, as the program deploys it."""

from typing import Any

import aiohttp
import pytest
from openai import APIConnectionError, PermissionDeniedError
from yarl import URL

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.deploy import DeployError
from sandbox.client import Client, Credentials, new_http_client
from sandbox.commands.up import describe, text
from sandbox.runtime import Sandbox
from tests.sandbox.test_runtime import PROJECT, config

pytestmark = pytest.mark.slow

PUBLISHER = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}
V2 = {**PUBLISHER, "sku": "StandardV2"}
NETWORK = (
    "/subscriptions/44444444-4444-4444-8444-444444444444/resourceGroups/rg-net"
    "/providers/Microsoft.Network/virtualNetworks/vnet-hub"
)
DISABLED = {"code": "AccessDenied", "message": "Public access is disabled. Please configure private endpoint."}


async def ask(sandbox: Sandbox, url: str) -> str:
    credentials = Credentials(key=sandbox.deployment.outputs["openaiSubscriptionKey"])
    async with new_http_client() as http:
        return await Client(f"{url}/openai", credentials, http).chat("chat", "hi")


async def straight_to_account(sandbox: Sandbox) -> tuple[int, Any]:
    """Call the account with its own key, as everybody on the internet can who has it."""
    account = sandbox.cloud.accounts()[0]
    path = "openai/deployments/chat/chat/completions?api-version=2024-10-21"
    url = sandbox.network.target(URL(f"https://{account.host}/{path}"))
    headers = {"Host": account.host, "api-key": account.keys[0]}
    body = {"messages": [{"role": "user", "content": "hi"}]}
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as response:
        return response.status, (await response.json()).get("error")


async def test_the_gateway_reaches_what_the_internet_does_not() -> None:
    values = {"gateway": V2, "auth": "key", "key": {"source": "key-vault"}, "safety": {"shieldPrompt": True}}
    async with Sandbox() as sandbox:
        deployment = await sandbox.deploy(PROJECT, config(**values, network={"mode": "private"}))

        assert await ask(sandbox, sandbox.url) == "You said: hi"
        assert await straight_to_account(sandbox) == (403, DISABLED)
        by_name = {found.name: found for found in deployment.registrations}
        assert by_name["openai-vault"].inputs["properties"]["publicNetworkAccess"] == "disabled"
        urn = {found.urn: found.name for found in deployment.registrations}
        assert "openai-vault-names" in {urn[found] for found in by_name["openai-api-key"].dependencies}
        assert "openai-account-chat" in {urn[found] for found in by_name["openai-account-endpoint"].dependencies}


async def test_a_gateway_that_lost_its_network_s_names_reaches_nothing() -> None:
    async with Sandbox() as sandbox:
        deployment = await sandbox.deploy(PROJECT, config(gateway=V2, network={"mode": "private"}))
        for found in deployment.registrations:
            if found.type.endswith(":PrivateDnsZoneGroup"):
                sandbox.cloud.delete(found.id)
        sandbox.gateway.load(sandbox.service)

        with pytest.raises(PermissionDeniedError, match="Public access is disabled"):
            await ask(sandbox, sandbox.url)


async def test_a_public_stack_moves_into_a_network_without_a_failed_call() -> None:
    async with Sandbox() as sandbox:
        for network, status in (
            ({}, 200),
            ({"mode": "private", "publicAccess": True}, 200),
            ({"mode": "private"}, 403),
        ):
            values = {"gateway": V2, "auth": "key", "network": network}
            await sandbox.deploy(PROJECT, config(**values))

            assert await ask(sandbox, sandbox.url) == "You said: hi"
            assert (await straight_to_account(sandbox))[0] == status


@pytest.mark.parametrize("sku", ["Developer", "PremiumV2"])
async def test_an_internal_gateway_is_reached_from_its_network_alone(sku: str) -> None:
    network = {"mode": "private", "gateway": "internal"}
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(gateway={**PUBLISHER, "sku": sku}, network=network))

        assert await ask(sandbox, sandbox.network_url) == "You said: hi"
        with pytest.raises(APIConnectionError):
            await ask(sandbox, sandbox.url)
        session = describe(sandbox, "dev")
        assert all(api.url.startswith(sandbox.network_url) for api in session.apis)
        assert "It answers no caller on the internet there" in text(session)


async def test_an_endpoint_lets_the_internet_be_shut_out_of_the_gateway() -> None:
    async with Sandbox() as sandbox:
        shut = config(gateway=V2, network={"mode": "private", "inboundEndpoint": {"publicAccess": False}})
        with pytest.raises(DeployError, match="is not enabled during service creation"):
            await sandbox.deploy(PROJECT, shut)
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(gateway=V2, network={"mode": "private", "inboundEndpoint": {}}))
        assert await ask(sandbox, sandbox.url) == "You said: hi"
        await sandbox.deploy(PROJECT, shut)

        assert await ask(sandbox, sandbox.network_url) == "You said: hi"
        with pytest.raises(PermissionDeniedError, match=r"public network access on this .* is disabled"):
            await ask(sandbox, sandbox.url)


@pytest.mark.parametrize(
    ("gateway", "subnets"),
    [
        pytest.param(V2, {"gatewaySubnet": f"{NETWORK}/subnets/apim"}, id="new service"),
        pytest.param({"existing": {"name": "apim-hub", "resourceGroup": "rg-hub"}}, {}, id="adopted service"),
    ],
)
async def test_a_network_and_its_zones_can_be_adopted(gateway: dict[str, Any], subnets: dict[str, str]) -> None:
    network = {
        "mode": "private",
        "existing": {"endpointSubnet": f"{NETWORK}/subnets/endpoints", **subnets},
    }
    where = {"azure-native:subscriptionId": NETWORK.split("/")[2]}
    async with Sandbox(cloud=Cloud(subscription_id=NETWORK.split("/")[2])) as sandbox:
        deployment = await sandbox.deploy(PROJECT, {**config(gateway=gateway, network=network), **where})

        assert await ask(sandbox, sandbox.url) == "You said: hi"
        assert await straight_to_account(sandbox) == (403, DISABLED)
        assert not any(found.type.endswith((":VirtualNetwork", ":Subnet")) for found in deployment.registrations)
