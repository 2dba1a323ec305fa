"""Subscription keys as bearer tokens: what reaches Azure, and how it stays and goes."""

import json
from typing import Any

import pytest

from apim_emulator.model import Api
from components import EntraProtectedApi, KeyAuthApi, ManagedIdentityApi
from options import EntraOptions
from tests.components.conftest import GROUP, Azure, exporting
from tests.deployed import Deployed, deploy_component

EITHER = pytest.mark.parametrize("component", [KeyAuthApi, ManagedIdentityApi])


def deploy(
    component: Any, args: Any, azure: Azure, *, preview: bool = False, after: Deployed | None = None
) -> Deployed:
    build = exporting(lambda: component("openai", args), "api_id")
    return deploy_component(build, azure.cloud, preview=preview, after=after)


def seen(azure: Azure) -> Api:
    return azure.cloud.gateways()[0].apis[0]


@EITHER
def test_a_template_sets_what_no_type_has(azure: Azure, component: Any) -> None:
    args = azure.api_args(azure.account("oai"), bearer_keys=True, name_prefix="team-", display_name="[chat]")

    deployed = deploy(component, args, azure)

    api, deployment = deployed.one("Api").inputs, deployed.one("Deployment").inputs
    assert (deployment["resourceGroupName"], deployment["deploymentName"]) == (GROUP, "team-openai-bearer-keys")
    [resource] = deployment["properties"]["template"]["resources"]
    assert (resource["type"], resource["name"]) == ("Microsoft.ApiManagement/service/apis", "apim/team-openai")
    assert resource["properties"] == {
        **{name: api[name] for name in ("path", "protocols", "serviceUrl", "subscriptionRequired")},
        "displayName": "[[chat]",
        "subscriptionKeyParameterNames": {**api["subscriptionKeyParameterNames"], "bearer": "enabled"},
    }
    assert "bearer" not in api["subscriptionKeyParameterNames"]
    assert seen(azure).key_bearer


def test_two_apis_of_a_stack_take_keys_as_bearers(azure: Azure) -> None:
    def build() -> None:
        for name in ("one", "two"):
            ManagedIdentityApi(name, azure.api_args(azure.account(name), path=f"{name}/openai", bearer_keys=True))

    deploy_component(build, azure.cloud)

    assert [api.key_bearer for api in azure.cloud.gateways()[0].apis] == [True, True]


@EITHER
def test_left_out_nothing_is_deployed_and_no_bearer_is_a_key(azure: Azure, component: Any) -> None:
    deployed = deploy(component, azure.api_args(azure.account("oai")), azure)

    assert deployed.all("Deployment") == []
    assert "bearer" not in deployed.one("Api").inputs["value"]
    assert not seen(azure).key_bearer


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"path": "other/openai"}, id="path"),
        pytest.param({"display_name": "another"}, id="display name"),
        pytest.param({"api_version": "2024-02-01"}, id="definition"),
        pytest.param({"operations": ["ChatCompletions_Create"]}, id="operations"),
    ],
)
def test_what_writes_the_api_anew_sets_it_again(azure: Azure, change: dict[str, Any]) -> None:
    args = azure.api_args(azure.account("oai"), bearer_keys=True)
    before = deploy(KeyAuthApi, args, azure)

    deploy(KeyAuthApi, {**args, **change}, azure, after=before)

    assert seen(azure).key_bearer


def test_taken_away_no_bearer_is_a_key_any_more(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai"), bearer_keys=True)
    before = deploy(KeyAuthApi, args, azure)
    told = json.loads(before.one("Api").inputs["value"])["info"]["description"]

    after = deploy(KeyAuthApi, {**args, "bearer_keys": False}, azure, after=before)

    assert told.endswith(" A subscription key is also accepted as bearer token.")
    assert after.all("Deployment") == []
    assert not seen(azure).key_bearer


def test_a_preview_needs_no_service(azure: Azure) -> None:
    assert deploy(KeyAuthApi, azure.api_args(azure.account("oai"), bearer_keys=True), azure, preview=True).one(
        "Deployment"
    )


def test_where_a_bearer_is_a_token_it_is_never_a_key(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai"), bearer_keys=True, entra=EntraOptions(roles=["Chat.User"]))

    deployed = deploy(EntraProtectedApi, {**args, "subscription_required": True}, azure)

    assert deployed.all("Deployment") == []
    assert not seen(azure).key_bearer
