"""Databases: what RediSearch needs, and who gets their keys."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

TOKEN = "azure-native:redisenterprise:Database"


@pytest.fixture
def clustered(azure: Azure) -> Azure:
    azure.redis()
    return azure


def keys(azure: Azure) -> dict[str, Any]:
    args = {"resourceGroupName": "rg", "clusterName": "redis-contoso", "databaseName": "default"}
    return azure.cloud.invoke("azure-native:redisenterprise:listDatabaseKeys", args)


def test_what_is_left_out_has_the_services_defaults(clustered: Azure) -> None:
    _, made = clustered.create(
        "redisenterprise:Database", resourceGroupName="rg", clusterName="redis-contoso", databaseName="default"
    )

    assert made["clusteringPolicy"] == "OSSCluster"
    assert made["evictionPolicy"] == "VolatileLRU"
    assert made["accessKeysAuthentication"] == "Disabled"
    assert made["port"] == 10000


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param(
            {"clusteringPolicy": None}, "clusteringPolicy is OSSCluster; .* needs EnterpriseCluster", id="oss"
        ),
        pytest.param({"clusteringPolicy": "NoCluster"}, "needs EnterpriseCluster", id="no cluster"),
        pytest.param({"evictionPolicy": None}, "evictionPolicy is VolatileLRU; .* needs NoEviction", id="eviction"),
        pytest.param({"modules": [{"name": "RedisSearch"}]}, "is not one of RediSearch", id="name"),
        pytest.param({"databaseName": "other"}, "must be 'default'", id="second database"),
    ],
)
def test_what_a_database_cannot_be_is_refused(clustered: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told) as refused:
        clustered.database(**inputs)

    assert refused.value.code == "BadRequest"


def test_flash_has_no_search(azure: Azure) -> None:
    azure.redis(sku={"name": "FlashOptimized_A250"})

    with pytest.raises(CloudError, match="RediSearch is not available on FlashOptimized_A250"):
        azure.database()


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        pytest.param({}, {"modules": []}, ("modules",), id="modules"),
        pytest.param({}, {"clusteringPolicy": "OSSCluster"}, ("clusteringPolicy",), id="cluster"),
        pytest.param({"clusteringPolicy": "NoCluster"}, {"clusteringPolicy": "OSSCluster"}, (), id="from no cluster"),
        pytest.param({}, {"accessKeysAuthentication": "Disabled"}, (), id="keys"),
    ],
)
def test_what_is_chosen_at_creation_needs_a_new_database(
    azure: Azure, old: dict[str, Any], new: dict[str, Any], replaced: tuple[str, ...]
) -> None:
    base = {"clusteringPolicy": "EnterpriseCluster", "modules": [{"name": "RediSearch"}]} | old

    assert tuple(azure.cloud.diff(TOKEN, base, base | new).replace) == replaced


def test_keys_are_listed_only_where_they_are_on(clustered: Azure) -> None:
    database, _ = clustered.database()
    assert len(set(keys(clustered).values())) == 2

    clustered.change("redisenterprise:Database", database, accessKeysAuthentication="Disabled")

    with pytest.raises(CloudError, match="cannot be listed: accessKeysAuthentication is Disabled"):
        keys(clustered)


@pytest.mark.parametrize("key", ["primaryKey", "secondaryKey"])
def test_a_regenerated_key_is_dead_and_the_other_lives_on(clustered: Azure, key: str) -> None:
    database, _ = clustered.database()
    before = keys(clustered)

    clustered.cloud.regenerate_database_key(database, key.removesuffix("Key").capitalize())

    assert {name for name, value in keys(clustered).items() if value != before[name]} == {key}


def test_there_are_two_keys(clustered: Azure) -> None:
    database, _ = clustered.database()

    with pytest.raises(CloudError, match="keyType 'Third' is not Primary or Secondary"):
        clustered.cloud.regenerate_database_key(database, "Third")
