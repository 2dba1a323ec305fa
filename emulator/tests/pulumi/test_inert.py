"""Types that are not modelled, under the engine: every request of a resource's life, and one warning a type."""

import grpc  # type: ignore[import-untyped]
import pytest

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.property_values import UNKNOWN, plain
from emulator.tests.pulumi.client import GROUP, Client, secret, served, urn

REGISTRY = "azure-native:containerregistry:Registry"
INPUTS = {
    "resourceGroupName": "rg",
    "adminUserEnabled": False,
    "sku": {"name": "Basic"},
    "tags": {"key": secret("s3cr3t-tag")},
}


def test_a_resource_is_named_created_read_changed_and_deleted(client: Client, cloud: Cloud) -> None:
    client.configure(location="swedencentral")
    client.group()

    checked = client.checked(REGISTRY, INPUTS)
    resource_id, outputs = client.create(REGISTRY, checked)
    read_id, inputs, read = client.read(REGISTRY, resource_id, checked, outputs)
    changed = {**checked, "adminUserEnabled": True}
    updated = client.update(REGISTRY, resource_id, checked, changed, outputs)

    assert checked["registryName"].startswith("thing")
    assert checked["location"] == "swedencentral"
    assert resource_id.endswith(f"/providers/Microsoft.Containerregistry/registries/{checked['registryName']}")
    assert (read_id, read) == (resource_id, outputs)
    assert inputs == checked
    assert outputs["tags"] == checked["tags"], "a secret stays one"
    assert updated["adminUserEnabled"] is True
    client.delete(REGISTRY, resource_id)
    assert client.read(REGISTRY, resource_id, checked, outputs)[0] == ""
    assert cloud.has_location(REGISTRY)


def test_a_preview_knows_what_was_given_and_that_the_rest_comes_later(client: Client) -> None:
    _, outputs = client.create(REGISTRY, INPUTS, preview=True)

    assert plain(outputs)["adminUserEnabled"] is False
    assert plain(outputs)["loginServer"] is UNKNOWN


def test_a_change_of_region_replaces_and_one_of_tags_does_not(client: Client) -> None:
    before = {"resourceGroupName": "rg", "location": "swedencentral", "tags": {"a": "b"}}

    assert client.diff(REGISTRY, before, {**before, "location": "westeurope"}).replaces == ["location"]
    in_place = client.diff(REGISTRY, before, {**before, "tags": {"a": "c"}})
    assert (list(in_place.diffs), list(in_place.replaces)) == (["tags"], [])


def test_each_type_is_told_once_with_the_first_resource(cloud: Cloud) -> None:
    told: list[tuple[str, str]] = []

    with served(cloud, lambda where, text: told.append((where, text))) as client:
        for name in ("one", "two"):
            client.check(REGISTRY, INPUTS, name=name)
        client.check(GROUP, {"location": "swedencentral"})

    assert told == [
        (
            urn(REGISTRY, "one"),
            f"{REGISTRY} is not modelled: the emulator keeps what it is given and does nothing with it",
        )
    ]


def test_a_type_that_the_provider_does_not_have_is_refused(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.create("azure-native:containerregistry:Registri", INPUTS)

    assert "InvalidResourceType" in refused.value.details()
