"""External caches: which one a service uses, and when it can be searched by meaning."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

HOST = "redis-contoso.swedencentral.redis.azure.net:10000"


@pytest.fixture
def served(azure: Azure) -> Azure:
    azure.service()
    azure.redis()
    return azure


def cache(azure: Azure, connection_string: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
    place = {"cacheId": "default", "useFromLocation": "default"}
    return azure.apim("Cache", connectionString=connection_string, **place | inputs)


def connection(azure: Azure, key: str = "primaryKey", more: str = "ssl=True,abortConnect=False") -> str:
    args = {"resourceGroupName": "rg", "clusterName": "redis-contoso", "databaseName": "default"}
    keys = azure.cloud.invoke("azure-native:redisenterprise:listDatabaseKeys", args)
    return f"{HOST},password={keys[key]},{more}"


def searched(azure: Azure) -> bool:
    return azure.cloud.gateways()[0].semantic_cache


def test_a_service_searches_once_a_cache_with_redisearch_is_connected(served: Azure) -> None:
    served.database()
    assert not searched(served)

    cache(served, connection(served))

    assert searched(served)


@pytest.mark.parametrize("place", ["swedencentral", "francecentral"])
def test_a_region_uses_its_own_cache(served: Azure, place: str) -> None:
    served.database()
    cache(served, connection(served), cacheId=place, useFromLocation=place)

    assert searched(served) == (place == "swedencentral")


def test_a_cache_that_is_no_search_engine_finds_nothing(served: Azure) -> None:
    served.database(modules=[])
    cache(served, connection(served))

    assert not searched(served)


@pytest.mark.parametrize("more", ["ssl=False", "abortConnect=False"])
def test_an_encrypted_database_takes_no_plain_connection(served: Azure, more: str) -> None:
    served.database()
    cache(served, connection(served, more=more))

    assert not searched(served)


def test_a_regenerated_key_disconnects_the_cache_until_it_gets_the_new_one(served: Azure) -> None:
    database, _ = served.database()
    made, _ = cache(served, connection(served))

    served.cloud.regenerate_database_key(database, "Primary")
    assert not searched(served)

    served.change("apimanagement:Cache", made, connectionString=connection(served))
    assert searched(served)


def test_keys_that_are_turned_off_disconnect_the_cache(served: Azure) -> None:
    database, _ = served.database()
    cache(served, connection(served))

    served.change("redisenterprise:Database", database, accessKeysAuthentication="Disabled")

    assert not searched(served)


def test_the_connection_string_is_never_read_back(served: Azure) -> None:
    served.database()
    made, outputs = cache(served, secret := connection(served))

    token = "azure-native:apimanagement:Cache"
    assert outputs["connectionString"].startswith("{{")
    assert secret not in str((outputs, served.cloud.read(token, made), served.cloud.inputs_of(token, made)))


def test_a_place_has_one_cache(served: Azure) -> None:
    cache(served, "redis.contoso.com:6380,password=x,ssl=True")

    with pytest.raises(CloudError, match="the cache 'default' is already used from 'Default'"):
        cache(served, "redis.contoso.com:6380,password=x,ssl=True", cacheId="second", useFromLocation="Default")


@pytest.mark.parametrize("text", ["", "x" * 301], ids=["empty", "long"])
def test_a_connection_string_has_1_to_300_characters(served: Azure, text: str) -> None:
    with pytest.raises(CloudError, match="connectionString must be a text of 1 to 300 characters"):
        cache(served, text)
