import dataclasses
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import CallRecord, PolicyLoadError
from apim_emulator.pulumi.deploy import Project, load_project
from apim_emulator.services.token_client import client_credentials_form, request_token
from sandbox.client import Client, Credentials, new_http_client
from sandbox.runtime import Sandbox

pytestmark = pytest.mark.slow

PROJECT = load_project(Path(__file__).parents[2])


def config(**values: Any) -> dict[str, Any]:
    given = {
        "gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
        "openai": {"deployments": [{"name": "chat", "model": "gpt-4o"}]},
        "apis": [{"name": "openai", "path": "openai"}],
        **values,
    }
    return {"azure-native:location": "swedencentral"} | {f"openai-gateway:{key}": given[key] for key in given}


def jwt(url: str, **values: Any) -> dict[str, Any]:
    return {"openidConfigUrls": [url], "audiences": ["ai"], **values}


async def ask(url: str, credentials: Credentials) -> str:
    async with new_http_client() as http:
        return await Client(url, credentials, http).chat("chat", "hi")


async def test_deployed_program_answers() -> None:
    calls: list[CallRecord] = []
    async with Sandbox(recorder=calls.append) as sandbox:
        deployment = await sandbox.deploy(PROJECT, config())

        answer = await ask(f"{sandbox.url}/openai", Credentials(key=deployment.outputs["openaiSubscriptionKey"]))

    assert answer == "You said: hi"
    assert [(call.api, call.status, call.backend_called) for call in calls] == [("openai", 200, True)]


async def test_port_is_free_again_afterwards() -> None:
    async with Sandbox() as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])

    async with Sandbox(port=port) as again:
        assert again.url.endswith(f":{port}")


async def test_port_in_use_is_refused_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(EmulatorError, match=rf"^port {port} is in use; .* --port$"):
            async with Sandbox(port=port):
                pass


async def test_gateway_knows_no_api_before_a_deployment() -> None:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as http, http.get(f"{sandbox.url}/openai") as response:
        assert response.status == 404
        with pytest.raises(EmulatorError, match="nothing is deployed yet"):
            _ = sandbox.deployment


async def test_providers_of_one_host_are_told_apart_by_path() -> None:
    one, two = (f"https://login.contoso.com/{realm}/.well-known/openid-configuration" for realm in ("one", "two"))
    apis = [
        {"name": "a", "path": "a/openai", "jwt": jwt(one, issuers=["https://issuer.contoso.com/"])},
        {"name": "b", "path": "b/openai", "jwt": jwt(two, requiredClaims={"team": ["x", "y"]})},
    ]
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(auth="entra", apis=apis))
        first, second = sandbox.providers[one], sandbox.providers[two]
        for api, provider in (("a", first), ("b", second)):
            form = client_credentials_form("client", provider.secret, audience="ai")
            token = await request_token(provider.token_url, form)

            assert await ask(f"{sandbox.url}/{api}/openai", Credentials(token=token)) == "You said: hi"

        assert first.base_url == second.base_url


async def test_provider_on_this_machine_gets_no_stand_in() -> None:
    url = "http://127.0.0.1:9/.well-known/openid-configuration"
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(auth="entra", jwt=jwt(url)))

        assert sandbox.providers == {}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"client_secret": "wrong"}, "invalid_client", id="wrong secret"),
        pytest.param({"client_id": "stranger"}, "invalid_client", id="unknown client"),
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="another grant"),
    ],
)
async def test_provider_refuses_token_requests(changes: dict[str, str], error: str) -> None:
    url = "https://login.contoso.com/.well-known/openid-configuration"
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config(auth="entra", jwt=jwt(url)))
        provider = sandbox.providers[url]
        form = client_credentials_form("client", provider.secret, audience="ai") | changes

        with pytest.raises(EmulatorError, match=f"^no token: {error}$"):
            await request_token(provider.token_url, form)


async def test_token_endpoint_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(EmulatorError, match=r"does not answer; start it again$"):
        await request_token("http://127.0.0.1:9/token", {})


async def test_policy_that_the_gateway_does_not_know_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(PROGRAM, encoding="utf-8")
    project = Project(name="other", program=program, defaults={}, required=())
    async with Sandbox() as sandbox:
        with pytest.raises(PolicyLoadError, match=r"api chat.*line 1, column \d+: xsl-transform"):
            await sandbox.deploy(project, {"azure-native:location": "swedencentral"})


PROGRAM = """
import pulumi
from pulumi_azure_native import apimanagement, resources

group = resources.ResourceGroup("group")
service = apimanagement.ApiManagementService(
    "apim", resource_group_name=group.name, publisher_name="Contoso", publisher_email="ai@contoso.com",
    sku={"name": "BasicV2", "capacity": 1},
)
api = apimanagement.Api(
    "api", api_id="chat", resource_group_name=group.name, service_name=service.name, display_name="chat", path="chat",
    protocols=["https"],
)
apimanagement.ApiPolicy(
    "policy", policy_id="policy", resource_group_name=group.name, service_name=service.name, api_id=api.name,
    format="xml", value="<policies><inbound><base /><xsl-transform /></inbound></policies>",
)
pulumi.export("gatewayUrl", service.gateway_url)
"""


async def test_a_policy_for_subscribers_refuses_others_even_where_the_api_lets_them_in() -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(PROJECT, config())
        service = sandbox.service
        api = dataclasses.replace(service.apis[0], subscription_required=False)
        sandbox.gateway.load(dataclasses.replace(service, apis=(api,)))

        async with aiohttp.ClientSession() as session:
            url = f"{sandbox.url}/openai/deployments/chat/chat/completions?api-version=2024-10-21"
            async with session.post(url, json={"messages": []}) as answer:
                said = answer.status, answer.reason, await answer.text()

        assert said == (401, "Access Denied", '{ "statusCode": 401, "message": "A subscription key is required." }')
        assert list(sandbox.openai.received) == []


async def test_an_api_without_its_policy_reaches_nobody() -> None:
    calls: list[CallRecord] = []
    async with Sandbox(recorder=calls.append) as sandbox:
        deployment = await sandbox.deploy(PROJECT, config())
        service = sandbox.service
        sandbox.gateway.load(dataclasses.replace(service, apis=(dataclasses.replace(service.apis[0], policy=None),)))

        async with aiohttp.ClientSession() as session:
            url = f"{sandbox.url}/openai/deployments/chat/chat/completions?api-version=2024-10-21"
            headers = {"api-key": deployment.outputs["openaiSubscriptionKey"]}
            async with session.post(url, json={"messages": []}, headers=headers) as answer:
                status = answer.status

    assert (status, [call.status for call in calls]) == (500, [500])
    assert list(sandbox.openai.received) == []


async def test_a_call_without_an_api_version_is_none_of_the_apis_operations() -> None:
    calls: list[CallRecord] = []
    async with Sandbox(recorder=calls.append) as sandbox:
        deployment = await sandbox.deploy(PROJECT, config())

        async with aiohttp.ClientSession() as session:
            url = f"{sandbox.url}/openai/deployments/chat/chat/completions"
            headers = {"api-key": deployment.outputs["openaiSubscriptionKey"]}
            async with session.post(url, json={"messages": []}, headers=headers) as answer:
                status = answer.status

    assert (status, [(call.operation, call.backend_called) for call in calls]) == (404, [(None, False)])
