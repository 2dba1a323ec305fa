"""Resource types that the emulator does not model: kept, referred to, told once, and never in the way."""

from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pulumi_azuread as azuread
import pulumi_random as random
import pytest
from pulumi_azure_native import authorization, containerregistry, resources, storage

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.azure.registry import resource_type, resource_types
from apim_emulator.pulumi.deploy import Deployment, deploy
from emulator.tests.azure.azure import OPENAI_USER, Azure

REGISTRY = "azure-native:containerregistry:Registry"
STORAGE = "azure-native:storage:StorageAccount"
PLACE = {"resourceGroupName": "rg", "location": "swedencentral"}


def run(program: Any, cloud: Cloud | None = None, *, preview: bool = False) -> Deployment:
    config = {"azure-native:location": "swedencentral"}
    return deploy(program, config, cloud or Cloud(), project="p", stack="dev", preview=preview)


def surroundings() -> None:
    """What a program of one's own may have around a gateway."""
    group = resources.ResourceGroup("rg", resource_group_name="rg")
    registry = containerregistry.Registry("images", resource_group_name=group.name, sku={"name": "Basic"})
    table = azure_native.network.RouteTable(  # as a name of this module pytest would load all of it
        "table", route_table_name="table", resource_group_name=group.name
    )
    route = azure_native.network.Route(
        "out", resource_group_name=group.name, route_table_name=table.name, next_hop_type="Internet"
    )
    account = storage.StorageAccount(
        "files",
        account_name="files",
        resource_group_name=group.name,
        kind="StorageV2",
        sku={"name": "Standard_LRS"},
        identity={"type": "SystemAssigned"},
    )
    other = storage.StorageAccount(
        "more", resource_group_name=group.name, kind="StorageV2", sku={"name": "Standard_LRS"}
    )
    authorization.RoleAssignment(
        "files-role",
        scope=account.id,
        principal_id=account.identity.principal_id,
        principal_type="ServicePrincipal",
        role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}",
    )
    team = azuread.Group("team", display_name="team", security_enabled=True)
    authorization.RoleAssignment(
        "team-role",
        scope=registry.id,
        principal_id=team.object_id,
        principal_type="Group",
        role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}",
    )
    pulumi.export("registry", registry.id)
    pulumi.export("registryName", registry.name)
    pulumi.export("login", registry.login_server)
    pulumi.export("route", route.id)
    pulumi.export("routeName", route.name)
    pulumi.export("location", account.location)
    pulumi.export("blob", account.primary_endpoints.blob)
    pulumi.export("other", other.name)
    pulumi.export("pet", random.RandomPet("pet").id)


@pytest.mark.slow
def test_a_program_with_types_that_are_not_modelled_deploys_and_its_references_resolve() -> None:
    cloud = Cloud()

    outputs = run(surroundings, cloud).outputs

    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/rg/providers"
    assert outputs["registry"] == f"{group}/Microsoft.Containerregistry/registries/{outputs['registryName']}"
    assert outputs["registryName"].startswith("images")
    assert outputs["route"] == f"{group}/Microsoft.Network/routeTables/table/routes/{outputs['routeName']}"
    assert outputs["location"] == "swedencentral"
    assert outputs["other"].startswith("more")
    assert outputs["pet"].startswith("pet")
    assert isinstance(outputs["login"], str)
    assert isinstance(outputs["blob"], str)
    assert len({outputs["login"], outputs["blob"]}) == 2


@pytest.mark.slow
def test_each_type_that_is_not_modelled_is_told_once_as_a_warning() -> None:
    messages = run(surroundings).messages

    assert {message.severity for message in messages} == {"warning"}
    assert sorted(message.text for message in messages) == [
        f"{token} is not modelled: the emulator keeps what it is given and does nothing with it"
        for token in (
            REGISTRY,
            "azure-native:network:Route",
            "azure-native:network:RouteTable",
            STORAGE,
            "azuread:index/group:Group",
            "random:index/randomPet:RandomPet",
        )
    ]
    assert all("::" in message.urn for message in messages)


@pytest.mark.slow
def test_a_preview_tells_the_same() -> None:
    assert {message.text for message in run(surroundings, preview=True).messages} == {
        message.text for message in run(surroundings).messages
    }


def test_a_program_of_modelled_types_is_told_nothing() -> None:
    assert run(lambda: resources.ResourceGroup("rg")).messages == ()


def test_a_type_of_another_package_is_kept_too() -> None:
    def program() -> None:
        made = pulumi.CustomResource("tls:index/privateKey:PrivateKey", "key", {"algorithm": "RSA"})
        pulumi.export("id", made.id)

    deployment = run(program)

    assert deployment.outputs["id"].startswith("key-")
    assert [message.text.split(" is ")[0] for message in deployment.messages] == ["tls:index/privateKey:PrivateKey"]


def test_a_version_in_the_token_makes_no_difference(azure: Azure) -> None:
    inputs = {"resourceGroupName": "rg", "accountName": "files"}

    resource_id, outputs = azure.create("storage/v20240101:StorageAccount", **inputs)

    assert outputs == azure.cloud.read(STORAGE, resource_id)


def test_what_is_given_comes_back_and_what_azure_decides_is_a_text_of_its_own(azure: Azure) -> None:
    given = {"sku": {"name": "Basic"}, "adminUserEnabled": False, "tags": {"a": "b"}}

    resource_id, outputs = azure.create("containerregistry:Registry", **PLACE, registryName="images", **given)

    assert given | {"sku": outputs["sku"]} == {name: outputs[name] for name in given}
    assert outputs["sku"]["name"] == "Basic"
    assert (outputs["name"], outputs["type"]) == ("images", "Microsoft.Containerregistry/registries")
    assert outputs["provisioningState"] == "Succeeded"
    assert outputs["loginServer"] != outputs["creationDate"]
    assert azure.cloud.inputs_of(REGISTRY, resource_id)["registryName"] == "images"


def test_it_changes_in_place_but_for_what_its_id_and_region_say(azure: Azure) -> None:
    inputs = {**PLACE, "registryName": "images", "adminUserEnabled": False}
    resource_id, before = azure.create("containerregistry:Registry", **inputs)

    after = azure.change("containerregistry:Registry", resource_id, adminUserEnabled=True)

    assert after == before | {"adminUserEnabled": True}
    changed = azure.cloud.diff(
        REGISTRY, inputs, {**inputs, "registryName": "b", "location": "c", "adminUserEnabled": True}
    )
    assert set(changed.replace) == {"registryName", "location"}


def test_it_goes_with_its_parent_and_its_name_is_free_at_once(azure: Azure) -> None:
    inputs = {"resourceGroupName": "rg", "routeTableName": "table"}
    table, _ = azure.create("network:RouteTable", **inputs)
    route, _ = azure.create("network:Route", **inputs, routeName="out")

    azure.cloud.delete(table)

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read("azure-native:network:Route", route)
    assert azure.create("network:RouteTable", **inputs)[0] == table


def test_one_name_twice_is_a_conflict(azure: Azure) -> None:
    azure.create("storage:StorageAccount", **PLACE, accountName="files")

    with pytest.raises(CloudError, match="Conflict"):
        azure.create("storage:StorageAccount", **PLACE, accountName="files")


def test_it_is_looked_up_by_its_names(azure: Azure) -> None:
    resource_id, outputs = azure.create("storage:StorageAccount", **PLACE, accountName="files")
    names = {"resourceGroupName": "rg", "accountName": "files"}

    assert azure.cloud.invoke("azure-native:storage:getStorageAccount", names) == {"id": resource_id, **outputs}
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.invoke("azure-native:storage:getStorageAccount", names | {"accountName": "other"})
    with pytest.raises(CloudError, match=r"listStorageAccountKeys.* is not modelled"):
        azure.cloud.invoke("azure-native:storage:listStorageAccountKeys", names)


@pytest.mark.parametrize("token", ["azure-native:storage:StorageAcount", "azure-native:stor:Account", "azuread:x:Y"])
def test_a_type_that_no_provider_has_is_refused(token: str) -> None:
    with pytest.raises(CloudError, match=r"InvalidResourceType.*does not exist"):
        Cloud().create(token, "thing", {})


def test_a_child_finds_its_parent_whatever_segment_that_has(azure: Azure) -> None:
    account, _ = azure.create("storage:StorageAccount", **PLACE, accountName="files")

    container, _ = azure.create(
        "storage:BlobContainer", resourceGroupName="rg", accountName="files", containerName="logs"
    )

    assert container == f"{account}/blobContainers/logs"


def test_an_event_hub_is_below_its_namespace(azure: Azure) -> None:
    hub, _ = azure.create("eventhub:EventHub", resourceGroupName="rg", namespaceName="ns", eventHubName="usage")

    assert hub.lower() == f"{azure.group_id()}/providers/microsoft.eventhub/namespaces/ns/eventhubs/usage".lower()


def test_modelled_types_stay_what_they_are() -> None:
    assert all(resource_type(token) is kind for token, kind in resource_types().items())
