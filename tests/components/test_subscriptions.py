"""What is adopted in another subscription: looked up there, and what belongs to it is created there."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from apim_emulator.pulumi.deploy import DeployError
from components import ApiGateway
from options import ExistingResource, GatewayOptions
from tests.deployed import Deployed, deploy_component, deploy_program
from tests.modes import GROUP, HUB, PUBLISHER, mode_config, shared_cloud

MODE = "existing-in-another-subscription"
GATEWAY = {"existing": {"name": "apim-hub", "resourceGroup": GROUP, "subscriptionId": HUB}}
ACCOUNT = {"existing": {"name": "oai-hub", "resourceGroup": GROUP, "subscriptionId": HUB}}
VAULT = {"existing": {"name": "kv-hub", "resourceGroup": GROUP, "subscriptionId": HUB}}
PROVIDER = "pulumi:providers:azure-native"


def deployed(**config: Any) -> Deployed:
    """The program with some of the mode's config in place of it."""
    return deploy_program(mode_config(MODE, **config), shared_cloud())


def subscriptions(found: Deployed) -> dict[str, str]:
    """Subscription of each Azure resource that the program made, by its name; the own one is `own`."""
    azure = [entry for entry in found.registrations if entry.id.startswith("/subscriptions/") and not entry.read]
    places = {entry.name: entry.id.split("/")[2] for entry in azure}
    return {name: "own" if place == found.cloud.subscription_id else place for name, place in places.items()}


def test_what_belongs_to_an_adopted_service_account_or_vault_is_created_in_its_subscription() -> None:
    found = deployed()

    assert subscriptions(found) == {
        "openai-gateway": "own",
        "openai-backend-oai-hub": HUB,
        "openai-api": HUB,
        "openai-policy": HUB,
        "openai-subscription": HUB,
        "openai-api-key-secret": HUB,
        "openai-api-key-reader": HUB,
        "openai-api-key": HUB,
        "openai-key-backend-oai-hub": HUB,
    }


@pytest.mark.parametrize(
    ("config", "elsewhere"),
    [
        pytest.param(
            {"gateway": PUBLISHER}, {"openai-api-key-secret", "openai-api-key-reader"}, id="account-and-vault"
        ),
        pytest.param(
            {"openai": {}, "key": {}},
            {"openai-backend-account", "openai-key-backend-account", "openai-api-key", "openai-api", "openai-policy"}
            | {"openai-subscription"},
            id="service",
        ),
        pytest.param(
            {"gateway": PUBLISHER, "key": {}, "auth": "managed-identity"},
            {"openai-oai-hub-system-assigned-role"},
            id="account-by-identity",
        ),
    ],
)
def test_each_is_adopted_where_it_is_and_all_else_stays_in_the_stacks_subscription(
    config: Mapping[str, Any], elsewhere: set[str]
) -> None:
    found = subscriptions(deployed(**config))

    assert {name for name, place in found.items() if place == HUB} == elsewhere


def test_each_component_has_one_provider_a_subscription_as_its_child() -> None:
    found = deployed()

    providers = [entry for entry in found.registrations if entry.type == PROVIDER]
    assert {entry.name for entry in providers} == {f"{name}-{HUB}" for name in ("gateway", "openai")}
    assert len({entry.urn for entry in providers}) == len(providers) == 3
    assert {entry.parent.split("::")[-1] for entry in providers} == {"gateway", "openai"}


def test_no_provider_is_made_where_nothing_names_a_subscription() -> None:
    found = deploy_program(mode_config("existing-gateway-and-account"), shared_cloud())

    assert not [entry for entry in found.registrations if entry.type == PROVIDER]


def test_a_provider_logs_in_as_the_stacks_config_says() -> None:
    login = {"clientId": "app", "tenantId": "tenant", "useOidc": "true", "auxiliaryTenantIds": ["other"]}
    config = mode_config(MODE) | {f"azure-native:{key}": value for key, value in login.items()}

    found = deploy_program(config, shared_cloud())

    (provider, *_) = [entry for entry in found.registrations if entry.type == PROVIDER]
    assert provider.inputs == {
        "auxiliaryTenantIds": '["other"]',
        "clientId": "app",
        "environment": "public",
        "location": "swedencentral",
        "subscriptionId": HUB,
        "tenantId": "tenant",
        "useOidc": "true",
    }


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"gateway": {"existing": {"name": "apim-hub", "resourceGroup": GROUP}}}, id="service"),
        pytest.param(
            {"openai": {"accounts": [{"existing": {"name": "oai-hub", "resourceGroup": GROUP}}]}}, id="account"
        ),
    ],
)
def test_what_is_not_in_the_subscription_that_is_named_is_not_found(config: Mapping[str, Any]) -> None:
    with pytest.raises(DeployError, match="ResourceNotFound"):
        deployed(**config)


def test_a_subscription_that_the_deployer_cannot_see_is_not_found() -> None:
    unseen = "99999999-9999-4999-8999-999999999999"

    with pytest.raises(DeployError, match=f"SubscriptionNotFound: The subscription '{unseen}' could not be found."):
        deployed(gateway={"existing": {"name": "apim-hub", "resourceGroup": GROUP, "subscriptionId": unseen}})


def test_an_identity_of_another_subscription_is_attached_by_its_id() -> None:
    cloud = shared_cloud()
    inputs = {"resourceGroupName": GROUP, "resourceName": "id-hub", "location": "swedencentral"}
    identity, outputs = cloud.create(
        "azure-native:managedidentity:UserAssignedIdentity", "id-hub", inputs, subscription_id=HUB
    )
    config = mode_config("identity-system-assigned", gateway={**PUBLISHER, "identity": identity})

    found = deploy_program(config, cloud)

    assert set(found.one("ApiManagementService").inputs["identity"]["userAssignedIdentities"]) == {identity}
    assert {entry.inputs["principalId"] for entry in found.all("RoleAssignment")} == {outputs["principalId"]}


def test_a_secret_of_the_login_stays_one_on_its_way_to_the_provider() -> None:
    def program() -> None:
        login = {"clientId": "app", "clientSecret": "s3cr3t-login"}
        config = {f"azure-native:{key}": value for key, value in login.items()}
        pulumi.runtime.set_all_config(config, ["azure-native:clientSecret"])
        existing = ExistingResource(name="apim-hub", resource_group=GROUP, subscription_id=HUB)
        ApiGateway("gateway", {"resource_group_name": GROUP, "gateway": GatewayOptions(existing=existing)})

    found = deploy_component(program, shared_cloud())

    (provider,) = [entry for entry in found.registrations if entry.type == PROVIDER]
    assert provider.inputs["clientSecret"] == "s3cr3t-login"
    assert "clientSecret" in provider.secret_inputs
