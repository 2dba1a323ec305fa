"""Several Azure subscriptions of one tenant, each with what is in it alone."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pytest
from pulumi_azure_native import authorization, managedidentity, resources

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.pulumi.deploy import DeployError, Deployment, deploy
from emulator.tests.azure.azure import OPENAI_USER, Azure

HUB = "11111111-2222-4333-8444-555555555555"
GROUP = "azure-native:resources:ResourceGroup"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
GET_IDENTITY = "azure-native:managedidentity:getUserAssignedIdentity"
PLACE = {"resourceGroupName": "rg-hub", "location": "swedencentral"}


@pytest.fixture
def hub(cloud: Cloud) -> str:
    """ID of the identity `id-hub` in another subscription."""
    cloud.add_subscription(HUB)
    cloud.create(GROUP, "rg-hub", PLACE, subscription_id=HUB)
    return cloud.create(IDENTITY, "id-hub", {**PLACE, "resourceName": "id-hub"}, subscription_id=HUB)[0]


def test_a_resource_is_in_the_subscription_of_its_provider(hub: str) -> None:
    provider = "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert hub == f"/subscriptions/{HUB}/resourceGroups/rg-hub/providers/{provider}/id-hub"


def test_a_subscription_that_nobody_added_is_not_found(cloud: Cloud) -> None:
    for request in (
        lambda: cloud.create(GROUP, "rg", PLACE, subscription_id=HUB),
        lambda: cloud.invoke(GET_IDENTITY, {**PLACE, "resourceName": "id"}, subscription_id=HUB),
    ):
        with pytest.raises(CloudError) as refused:
            request()
        assert (refused.value.code, refused.value.message) == (
            "SubscriptionNotFound",
            f"The subscription '{HUB}' could not be found.",
        )


@pytest.mark.usefixtures("hub")
def test_a_function_finds_nothing_outside_the_subscription_of_its_provider(cloud: Cloud) -> None:
    args = {"resourceGroupName": "rg-hub", "resourceName": "id-hub"}

    with pytest.raises(CloudError) as refused:
        cloud.invoke(GET_IDENTITY, args)

    assert str(refused.value) == "ResourceGroupNotFound: Resource group 'rg-hub' could not be found."
    assert cloud.invoke(GET_IDENTITY, args, subscription_id=HUB)["name"] == "id-hub"


@pytest.mark.usefixtures("hub")
def test_nothing_is_created_in_a_group_of_another_subscription(cloud: Cloud) -> None:
    with pytest.raises(CloudError, match="ResourceGroupNotFound"):
        cloud.create(IDENTITY, "id", {**PLACE, "resourceName": "id-own"})


def test_groups_of_one_name_in_two_subscriptions_are_two(cloud: Cloud, hub: str) -> None:
    cloud.create(GROUP, "rg-hub", PLACE)

    own, _ = cloud.create(IDENTITY, "id-hub", {**PLACE, "resourceName": "id-hub"})

    assert own.startswith(f"/subscriptions/{cloud.subscription_id}/")
    assert cloud.read(IDENTITY, own)["principalId"] != cloud.read(IDENTITY, hub)["principalId"]


def test_what_is_known_by_its_id_is_read_changed_and_deleted_in_any_subscription(cloud: Cloud, hub: str) -> None:
    inputs = cloud.inputs_of(IDENTITY, hub)

    cloud.update(IDENTITY, hub, {**inputs, "tags": {"team": "hub"}})

    assert cloud.read(IDENTITY, hub)["tags"] == {"team": "hub"}
    cloud.delete(hub)
    with pytest.raises(CloudError, match="ResourceNotFound"):
        cloud.read(IDENTITY, hub)


def test_a_role_is_given_in_another_subscription_by_its_scope(cloud: Cloud, azure: Azure, hub: str) -> None:
    principal_id = cloud.read(IDENTITY, hub)["principalId"]

    assigned, _ = azure.role(principal_id, f"/subscriptions/{HUB}", OPENAI_USER)

    assert assigned.startswith(f"/subscriptions/{HUB}/providers/Microsoft.Authorization/roleAssignments/")
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.role(principal_id, "/subscriptions/99999999-2222-4333-8444-555555555555", OPENAI_USER)


@pytest.mark.usefixtures("hub")
def test_the_client_config_tells_the_subscription_of_its_provider(cloud: Cloud) -> None:
    token = "azure-native:authorization:getClientConfig"

    assert cloud.invoke(token, {})["subscriptionId"] == cloud.subscription_id
    assert cloud.invoke(token, {}, subscription_id=HUB)["subscriptionId"] == HUB


def test_a_refusal_in_another_subscription_leaves_the_next_request_in_the_own_one(cloud: Cloud, hub: str) -> None:
    with pytest.raises(CloudError, match="ResourceNotFound"):
        cloud.invoke(GET_IDENTITY, {**PLACE, "resourceName": "nobody"}, subscription_id=HUB)

    own, _ = cloud.create(GROUP, "rg", {"resourceGroupName": "rg", "location": "swedencentral"})
    assert own.startswith(f"/subscriptions/{cloud.subscription_id}/")
    assert hub


def test_subscriptions_are_kept_in_the_file(tmp_path: Path) -> None:
    with closing(Cloud(tmp_path / "cloud.db")) as first:
        first.add_subscription(HUB)
        first.add_subscription(HUB)

    with closing(Cloud(tmp_path / "cloud.db")) as second:
        group, _ = second.create(GROUP, "rg-hub", PLACE, subscription_id=HUB)

    assert group == f"/subscriptions/{HUB}/resourceGroups/rg-hub"


def run(program: Any, cloud: Cloud, **config: str) -> Deployment:
    location = {"azure-native:location": "swedencentral"}
    given = {f"azure-native:{key}": value for key, value in config.items()}
    return deploy(program, location | given, cloud, project="p", stack="dev")


@pytest.mark.usefixtures("hub")
def test_a_program_reaches_another_subscription_by_a_provider_of_its_own(cloud: Cloud) -> None:
    def program() -> None:
        provider = azure_native.Provider("hub", subscription_id=HUB, location="francecentral")
        group = resources.ResourceGroup("theirs", opts=pulumi.ResourceOptions(provider=provider))
        own = resources.ResourceGroup("ours")
        asked = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(provider=provider))
        found = managedidentity.get_user_assigned_identity_output(
            resource_group_name="rg-hub", resource_name="id-hub", opts=pulumi.InvokeOutputOptions(provider=provider)
        )
        pulumi.export("theirs", group.id)
        pulumi.export("location", group.location)
        pulumi.export("ours", own.id)
        pulumi.export("asked", asked.subscription_id)
        pulumi.export("found", found.name)

    outputs = run(program, cloud).outputs

    assert outputs["theirs"].startswith(f"/subscriptions/{HUB}/")
    assert outputs["location"] == "francecentral"
    assert outputs["ours"].startswith(f"/subscriptions/{cloud.subscription_id}/")
    assert (outputs["asked"], outputs["found"]) == (HUB, "id-hub")


@pytest.mark.usefixtures("hub")
def test_a_stack_deploys_to_the_subscription_that_its_config_names(cloud: Cloud) -> None:
    def program() -> None:
        pulumi.export("group", resources.ResourceGroup("ours").id)

    assert run(program, cloud, subscriptionId=HUB).outputs["group"].startswith(f"/subscriptions/{HUB}/")


def test_a_stack_whose_config_names_no_subscription_of_the_deployer_fails(cloud: Cloud) -> None:
    with pytest.raises(DeployError, match="SubscriptionNotFound"):
        run(lambda: resources.ResourceGroup("ours"), cloud, subscriptionId=HUB)
