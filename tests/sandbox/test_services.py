"""Programs of one's own: with several API Management services, with one that no export names, with none."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from apim_emulator.azure import Cloud
from apim_emulator.cli.trace import traced
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import CallRecord, PolicyLoadError
from apim_emulator.pulumi.deploy import Project
from sandbox.__main__ import main
from sandbox.commands.up import describe, text
from sandbox.runtime import Sandbox, deploy_to

pytestmark = pytest.mark.slow

CONFIG = {"azure-native:location": "swedencentral"}

PROGRAM = """
import pulumi
from pulumi_azure_native import apimanagement, resources

DEFINITION = '''{{
  "openapi": "3.0.1", "info": {{"title": "greeting", "version": "1"}},
  "paths": {{"/": {{"get": {{"operationId": "greet", "responses": {{"200": {{"description": "OK"}}}}}}}}}}
}}'''
group = resources.ResourceGroup("group")
for name, inbound in {policies}.items():
    service = apimanagement.ApiManagementService(
        name, service_name=name, resource_group_name=group.name, publisher_name="Contoso",
        publisher_email="ai@contoso.com", sku={{"name": "BasicV2", "capacity": 1}},
    )
    api = apimanagement.Api(
        name, api_id="greeting", resource_group_name=group.name, service_name=service.name, display_name="greeting",
        path="greeting", protocols=["https"], subscription_required=True, format="openapi+json", value=DEFINITION,
    )
    apimanagement.Subscription(
        name, sid="caller", resource_group_name=group.name, service_name=service.name, display_name="caller",
        state="active", scope=api.id, primary_key=f"{{name}}-key-of-the-caller", secondary_key=f"{{name}}-other-key",
    )
    apimanagement.ApiPolicy(
        name, policy_id="policy", resource_group_name=group.name, service_name=service.name, api_id=api.name,
        format="xml", value=f"<policies><inbound><base />{{inbound}}</inbound></policies>",
    )
    pulumi.export(name, service.gateway_url)
"""


def greets(name: str) -> str:
    """Policy that answers, and sets a header that holds a key of the service `one`."""
    return (
        '<set-header name="X-Hint"><value>one-key-of-the-caller</value></set-header>'
        f"<return-response><set-body>{name} greets</set-body></return-response>"
    )


def calls(name: str) -> str:
    """Policy that passes calls on to another service."""
    return (
        f'<set-backend-service base-url="https://{name}.azure-api.net/greeting" />'
        f'<set-header name="Ocp-Apim-Subscription-Key"><value>{name}-key-of-the-caller</value></set-header>'
    )


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Make a project whose program deploys services of these names, which greet or have the policies given."""

    def make(*names: str, export: str = "", **policies: str) -> Project:
        program = tmp_path / "__main__.py"
        given = {name: greets(name) for name in names} | policies
        program.write_text(PROGRAM.format(policies=given) + export, encoding="utf-8")
        return Project(name="greetings", program=program, defaults={}, required=())

    return make


async def greeting(url: str, key: str) -> tuple[int, str]:
    headers = {"Ocp-Apim-Subscription-Key": key}
    async with aiohttp.ClientSession() as http, http.get(f"{url}/greeting/", headers=headers) as answer:
        return answer.status, await answer.text()


def urls(sandbox: Sandbox) -> dict[str, str]:
    return {found.service.name: found.url for found in sandbox.services}


async def test_the_only_service_is_served_whatever_a_program_exports(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("one"), CONFIG)

        assert urls(sandbox) == {"one": sandbox.url}
        assert await greeting(sandbox.url, "one-key-of-the-caller") == (200, "one greets")
        assert [api.name for api in describe(sandbox, "dev").apis] == ["greeting"]


async def test_each_of_several_services_has_a_port_and_keys_of_its_own(project: Callable[..., Project]) -> None:
    async with Sandbox(trace=True) as sandbox:
        await sandbox.deploy(project("one", "two"), CONFIG)
        found = urls(sandbox)
        asked = [(name, key) for name in ("one", "two") for key in ("one", "two")]
        said = [await greeting(found[name], f"{key}-key-of-the-caller") for name, key in asked]
        session = describe(sandbox, "dev")
        kept = await asyncio.to_thread(traced, "dev", sandbox.trace_url or "", 0)

    assert [status for status, _ in said] == [200, 401, 401, 200]
    assert (said[0][1], said[3][1]) == ("one greets", "two greets")
    assert session.services == found
    assert {api.name: (api.url, api.key) for api in session.apis} == {
        f"{name}/greeting": (f"{found[name]}/greeting", f"{name}-key-of-the-caller") for name in ("one", "two")
    }
    assert text(session).startswith(
        f"2 gateways of stack dev listen; Ctrl-C stops them:\n  one: {found['one']}\n  two: {found['two']}\n"
    )
    assert [(call.service, call.status) for call in kept] == [("one", 200), ("one", 401), ("two", 401), ("two", 200)]
    assert "set-header" in repr(kept)
    assert "key-of-the-caller" not in repr(kept)


async def test_the_service_that_gateway_url_names_comes_first(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("one", "two", export='pulumi.export("gatewayUrl", service.gateway_url)'), CONFIG)

        assert list(urls(sandbox)) == ["two", "one"]
        assert sandbox.service.name == "two"
        assert await greeting(sandbox.url, "two-key-of-the-caller") == (200, "two greets")


def free_pair_of_ports() -> int:
    """Return a free port whose next one is free as well."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first, suppress(OSError):
            port: int = first.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 1)):
                return port


async def test_further_services_get_the_next_ports(project: Callable[..., Project]) -> None:
    port = free_pair_of_ports()
    async with Sandbox(port=port) as sandbox:
        await sandbox.deploy(project("one", "two"), CONFIG)

        assert [int(url.rpartition(":")[2]) for url in urls(sandbox).values()] == [port, port + 1]


async def test_a_program_without_a_service_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text("", encoding="utf-8")
    async with Sandbox() as sandbox:
        with pytest.raises(EmulatorError, match="deploys no API Management service"):
            await sandbox.deploy(Project(name="nothing", program=program, defaults={}, required=()), CONFIG)


@asynccontextmanager
async def following(cloud: Cloud) -> AsyncIterator[tuple[Sandbox, Callable[[], Any]]]:
    """Serve what is in a cloud; gives also what waits for the next report."""
    reports: asyncio.Queue[str | None] = asyncio.Queue()
    async with Sandbox(cloud=cloud) as sandbox:
        task = asyncio.create_task(sandbox.follow(reports.put_nowait))
        yield sandbox, reports.get
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_services_come_and_go_and_the_others_keep_their_ports(project: Callable[..., Project]) -> None:
    cloud = Cloud()
    last = None

    async def deployed(names: Sequence[str], served: Callable[[], bool]) -> dict[str, str]:
        nonlocal last
        last = await asyncio.to_thread(deploy_to, cloud, project(*names), CONFIG, "dev", last)
        while not served():
            assert await asyncio.wait_for(report(), 10) is None
        return urls(sandbox)

    async with following(cloud) as (sandbox, report):
        both = await deployed(["one", "two"], lambda: set(urls(sandbox)) == {"one", "two"})
        alone = await deployed(["two"], lambda: set(urls(sandbox)) == {"two"})
        gone = await greeting(both["one"], "one-key-of-the-caller")
        another = await deployed(["two", "three"], lambda: set(urls(sandbox)) == {"two", "three"})
        answer = await greeting(another["three"], "three-key-of-the-caller")

    assert alone == {"two": both["two"]}
    assert gone[0] == 404
    assert another == {"two": both["two"], "three": both["one"]}
    assert answer == (200, "three greets")


async def test_a_policy_that_cannot_run_stops_no_other_service(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("one", "two"), CONFIG)
        found = urls(sandbox)
        service = sandbox.service
        broken = replace(
            service, apis=(replace(service.apis[0], policy="<policies><inbound><nope /></inbound></policies>"),)
        )
        with pytest.raises(PolicyLoadError):
            sandbox.gateway.load(broken)

        assert await greeting(found["one"], "one-key-of-the-caller") == (200, "one greets")
        assert await greeting(found["two"], "two-key-of-the-caller") == (200, "two greets")


async def test_services_call_each_other_by_their_host_names(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("two", one=calls("two")), CONFIG)

        assert await greeting(urls(sandbox)["one"], "one-key-of-the-caller") == (200, "two greets")


async def test_services_that_call_each_other_in_a_circle_stop(project: Callable[..., Project]) -> None:
    seen: list[CallRecord] = []
    async with Sandbox(recorder=seen.append) as sandbox:
        await sandbox.deploy(project(one=calls("two"), two=calls("one")), CONFIG)
        status, _ = await greeting(urls(sandbox)["one"], "one-key-of-the-caller")

    assert status == 508
    assert len(seen) == 10  # nine hops are one too many, and the first is not known for one until it is made


async def test_a_service_that_is_gone_is_not_reached(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("two", one=calls("two")), CONFIG)
        await sandbox.deploy(project(one=calls("two")), CONFIG)

        assert (await greeting(sandbox.url, "one-key-of-the-caller"))[0] == 500


MODELS = """
from pulumi_azure_native import cognitiveservices

for name in ("one", "two"):
    account = cognitiveservices.Account(
        f"{name}-account", account_name=f"oai-{name}", resource_group_name=group.name, kind="OpenAI",
        sku={"name": "S0"}, properties={"custom_sub_domain_name": f"oai-{name}"},
    )
    cognitiveservices.Deployment(
        f"{name}-model", deployment_name=f"chat-of-{name}", account_name=account.name, resource_group_name=group.name,
        sku={"name": "GlobalStandard", "capacity": 1},
        properties={"model": {"format": "OpenAI", "name": "gpt-5.6-luna", "version": "2026-07-09"}},
    )
    apimanagement.Backend(
        f"{name}-backend", backend_id="models", resource_group_name=group.name, service_name=name, protocol="http",
        url=f"https://oai-{name}.openai.azure.com/openai", opts=pulumi.ResourceOptions(depends_on=[service]),
    )
"""


async def test_each_api_is_called_with_a_model_behind_its_service(project: Callable[..., Project]) -> None:
    async with Sandbox() as sandbox:
        await sandbox.deploy(project("two", "one", export=MODELS), CONFIG)
        session = describe(sandbox, "dev")

    assert {api.name: api.model for api in session.apis} == {
        f"{name}/greeting": f"chat-of-{name}" for name in ("one", "two")
    }
    assert all(f"/deployments/{api.model}/" in api.curl for api in session.apis)
    assert session.model == session.apis[0].model


async def test_a_further_port_that_is_taken_is_told(project: Callable[..., Project]) -> None:
    port = free_pair_of_ports()
    with socket.create_server(("127.0.0.1", port + 1)):
        async with Sandbox(port=port) as sandbox:
            with pytest.raises(EmulatorError, match=f"port {port + 1} is in use"):
                await sandbox.deploy(project("one", "two"), CONFIG)


def test_policies_name_the_service_of_each_api(
    project: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project("one", "two")
    (tmp_path / "Pulumi.yaml").write_text("name: greetings\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'azure-native:location': swedencentral}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert main(["policies", "--stack", "dev", "--api", "two/greeting"]) == 0
    assert "two greets" in capsys.readouterr().out
