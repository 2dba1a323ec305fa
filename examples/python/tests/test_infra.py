"""Unit tests of the program on Pulumi's mocks: without the engine, a state or a login to Azure.

As in Pulumi's guide, https://www.pulumi.com/docs/iac/guides/testing/unit/, the mocks come first and the program after.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

import pulumi
import pytest

from apim_emulator.model import Subscription
from apim_emulator.pulumi import AzureMocks
from apim_emulator.testing import PolicyBench, Reply

PROJECT = "openai-gateway-python"
CONFIG = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}


class Program:
    """The program, run on mocks of its own until everything is registered."""

    infra: ModuleType

    def __init__(self, **config: str) -> None:
        self.mocks = AzureMocks(location="swedencentral")
        pulumi.runtime.set_mocks(self.mocks, project=PROJECT, stack="test", preview=False)
        pulumi.runtime.set_all_config({f"{PROJECT}:{key}": value for key, value in (CONFIG | config).items()})
        self._run()

    @pulumi.runtime.test
    def _run(self) -> None:
        sys.modules.pop("infra", None)
        self.infra = importlib.import_module("infra")

    def inputs(self, name: str) -> dict[str, Any]:
        """Inputs of a resource as Azure would get them."""
        (found,) = (made for made in self.mocks.registrations if made.name == name)
        return dict(found.inputs)


@pytest.fixture(scope="module")
def program() -> Program:
    return Program()


@pulumi.runtime.test
def test_callers_find_the_api_at_the_url(program: Program) -> pulumi.Output[None]:
    def check(urls: list[str]) -> None:
        gateway_url, url = urls
        assert gateway_url.endswith(".azure-api.net")
        assert url == f"{gateway_url}/{program.inputs('chat-api')['path']}"

    return pulumi.Output.all(program.infra.gateway.gateway_url, program.infra.url).apply(check)


@pulumi.runtime.test
def test_the_api_is_one_of_the_service(program: Program) -> pulumi.Output[None]:
    def check(ids: list[str]) -> None:
        group_id, service_id, api_id = ids
        assert service_id.startswith(f"{group_id}/providers/Microsoft.ApiManagement/service/")
        assert api_id == f"{service_id}/apis/chat"

    infra = program.infra
    return pulumi.Output.all(infra.group.id, infra.gateway.service_id, infra.chat.api_id).apply(check)


def test_nobody_calls_without_a_subscription(program: Program) -> None:
    assert program.inputs("chat-api")["subscriptionRequired"] is True


def test_the_account_takes_no_keys(program: Program) -> None:
    assert program.inputs("openai-swedencentral-account")["properties"]["disableLocalAuth"] is True


def test_the_gateways_identity_may_call_the_account_and_nothing_else(program: Program) -> None:
    role = program.inputs("openai-swedencentral-gateway-role")

    assert "/providers/Microsoft.CognitiveServices/accounts/" in role["scope"]
    assert role["principalType"] == "ServicePrincipal"


def test_the_policy_takes_a_callers_key_and_presents_the_gateways_identity(program: Program) -> None:
    team = Subscription(id="team", scope="/apis", primary_key="key-1", secondary_key="key-2")
    bench = PolicyBench(
        program.inputs("chat-policy")["value"],
        backends={"openai-backend-swedencentral": lambda request: Reply(json={"choices": []})},
        subscriptions=(team,),
        api={"subscription_required": True, "key_header": "api-key"},
    )

    accepted = bench.post("/deployments/chat/completions", headers={"api-key": "key-1"}, json={})
    refused = bench.post("/deployments/chat/completions", headers={"api-key": "key-3"}, json={})

    assert accepted.status_code == 200
    assert "api-key" not in accepted.requests[0].headers
    assert accepted.requests[0].headers["Authorization"].startswith("Bearer ")
    assert (refused.status_code, refused.requests) == (401, ())


def test_a_mistake_in_the_config_is_told() -> None:
    with pytest.raises(pulumi.RunError, match=r'gateway\.publisher_email: "contoso" is not valid'):
        Program(publisherEmail="contoso")
