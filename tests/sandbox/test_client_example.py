"""The example of a client in a stack of its own, beside the hub that its page describes."""

import re
from typing import Any

import pytest
import yaml
from openai import APIStatusError

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import deploy, load_project, load_stack
from sandbox.client import Client, Credentials, new_http_client, refusal
from sandbox.runtime import Sandbox
from tests.deployed import ROOT

pytestmark = pytest.mark.slow

CLIENT = ROOT / "examples" / "client"
PAGE = (CLIENT / "README.md").read_text(encoding="utf-8")


async def test_a_client_calls_the_hub_with_what_its_own_stack_exports() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    hub: dict[str, Any] = yaml.safe_load(block)["config"]
    async with Sandbox(cloud=Cloud(deployer=Deployer.ADMINISTRATOR)) as sandbox, new_http_client() as http:
        program = load_project(ROOT)
        deployed = await sandbox.deploy(program, hub, "hub")
        group = next(entry.outputs["name"] for entry in deployed.registrations if entry.type.endswith(":ResourceGroup"))
        config = load_stack(CLIENT, "dev")
        names = {**config["openai-gateway-client:hub"], "resourceGroup": group}

        own = deploy(
            CLIENT / "__main__.py",
            {**config, "openai-gateway-client:hub": names},
            sandbox.cloud,
            project="openai-gateway-client",
            stack="dev",
        )
        await sandbox.deploy(program, hub, "hub")

        outputs = own.outputs
        assert own.secret_outputs == {"primaryKey", "secondaryKey"}
        url = outputs["endpoint"].replace(f"https://{sandbox.service.name}.azure-api.net", sandbox.url)
        registration = next(
            found for found in sandbox.cloud.applications() if found.display_name == names["application"]
        )
        assert outputs["scope"] == f"api://{registration.client_id}/.default"
        token = sandbox.entra.issue(
            registration, client_id=outputs["identityClientId"], principal_id=outputs["identityObjectId"]
        )
        for key in (outputs["primaryKey"], outputs["secondaryKey"]):
            answer = await Client(url, Credentials(key=key, token=token), http).chat("gpt-5.6-luna", "Hello")
            assert answer == "You said: Hello"
        for lacking in (Credentials(key=outputs["primaryKey"]), Credentials(token=token)):
            with pytest.raises(APIStatusError) as refused:
                await Client(url, lacking, http).chat("gpt-5.6-luna", "Hello")
            assert (refused.value.status_code, bool(refusal(refused.value))) == (401, True)
