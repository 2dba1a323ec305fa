"""The Redis behind a service's cache, and the embeddings that compare prompts."""

from typing import Any

import pytest

from apim_emulator.pulumi.deploy import DeployError
from components import OpenAIBackend, SemanticCache
from options import AccountOptions, DeploymentOptions, ExistingRedis, OpenAIOptions, RedisAccessKey, RedisOptions
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

SHARED = ExistingRedis(name="redis-shared", resource_group=GROUP)
KEYS = "azure-native:redisenterprise:listDatabaseKeys"


def deploy(
    azure: Azure, redis: Any = None, *, preview: bool = False, after: Deployed | None = None, **args: Any
) -> Deployed:
    inputs: Any = {
        "resource_group_name": GROUP,
        "gateway_resource_group_name": GROUP,
        "service_name": SERVICE,
        "redis": redis,
        **args,
    }
    build = exporting(lambda: SemanticCache("semantic-cache", inputs), "cache_id", "redis_id")
    return deploy_component(build, None if after else azure.cloud, preview=preview, after=after)


def shared(azure: Azure, **database: Any) -> str:
    """Return the ID of the database of a cluster that somebody else owns."""
    azure.create(
        "redisenterprise:RedisEnterprise",
        {"clusterName": "redis-shared", "sku": {"name": "Balanced_B1"}, "publicNetworkAccess": "Enabled"},
    )
    inputs = {
        "clusterName": "redis-shared",
        "databaseName": "default",
        "modules": [{"name": "RediSearch"}],
        "clusteringPolicy": "EnterpriseCluster",
        "evictionPolicy": "NoEviction",
        "accessKeysAuthentication": "Enabled",
        "port": 10001,
    }
    return azure.create("redisenterprise:Database", inputs | database)[0]


def searched(deployed: Deployed) -> bool:
    [service] = deployed.cloud.gateways()
    return service.semantic_cache


def test_a_redis_is_created_that_the_service_can_search(azure: Azure) -> None:
    deployed = deploy(azure, RedisOptions(name="redis-contoso", location="francecentral"))

    cluster = deployed.one("RedisEnterprise").inputs
    assert (cluster["clusterName"], cluster["location"]) == ("redis-contoso", "francecentral")
    assert (cluster["sku"], cluster["highAvailability"]) == ({"name": "Balanced_B0"}, "Enabled")
    assert cluster["minimumTlsVersion"] == "1.2"
    connection = deployed.one("Cache").inputs["connectionString"]
    assert connection.startswith("redis-contoso.francecentral.redis.azure.net:10000,password=")
    assert searched(deployed)


def test_what_costs_is_chosen(azure: Azure) -> None:
    deployed = deploy(azure, {"sku": "MemoryOptimized_M10", "high_availability": False})

    cluster = deployed.one("RedisEnterprise").inputs
    assert (cluster["sku"], cluster["highAvailability"]) == ({"name": "MemoryOptimized_M10"}, "Disabled")


def test_a_name_left_out_is_unique(azure: Azure) -> None:
    deployed = deploy(azure)

    suffix = deployed.one("RandomString").outputs["result"]
    assert deployed.one("RedisEnterprise").inputs["clusterName"] == f"redis-semantic-cache-{suffix}"


def test_keys_are_on_and_the_connection_is_encrypted(azure: Azure) -> None:
    deployed = deploy(azure)

    database = deployed.one("Database").inputs
    assert (database["accessKeysAuthentication"], database["clientProtocol"]) == ("Enabled", "Encrypted")
    assert deployed.one("Cache").inputs["connectionString"].endswith(",ssl=True,abortConnect=False")


def test_the_connection_string_is_a_secret(azure: Azure) -> None:
    assert "connectionString" in deploy(azure).one("Cache").secret_inputs


def test_a_redis_is_adopted_without_owning_it(azure: Azure) -> None:
    shared(azure)

    deployed = deploy(azure, RedisOptions(existing=SHARED))

    assert deployed.all("RedisEnterprise") == deployed.all("Database") == []
    connection = deployed.one("Cache").inputs["connectionString"]
    assert connection.startswith("redis-shared.swedencentral.redis.azure.net:10001,password=")
    assert searched(deployed)


@pytest.mark.parametrize(
    ("database", "told"),
    [
        pytest.param({"modules": []}, "has no module RediSearch, which only a new database can get", id="module"),
        pytest.param({"accessKeysAuthentication": "Disabled"}, "refuses access keys", id="keys"),
        pytest.param({"clientProtocol": "Plaintext"}, "is reached without TLS", id="plain"),
    ],
)
def test_a_redis_that_cannot_serve_is_refused(azure: Azure, database: dict[str, Any], told: str) -> None:
    shared(azure, **database)

    with pytest.raises(DeployError, match=f"the database of Redis redis-shared {told}"):
        deploy(azure, RedisOptions(existing=SHARED))


def test_keys_are_rotated_without_a_gap(azure: Azure) -> None:
    """Present the secondary key, regenerate the primary one, and come back."""
    database = shared(azure)
    first = deploy(azure, RedisOptions(existing=SHARED))

    second = deploy(azure, RedisOptions(existing=SHARED, access_key=RedisAccessKey.SECONDARY), after=first)
    assert searched(second)
    azure.cloud.regenerate_database_key(database, "Primary")
    assert searched(second)
    third = deploy(azure, RedisOptions(existing=SHARED), after=second)
    assert searched(third)
    azure.cloud.regenerate_database_key(database, "Secondary")
    assert searched(third)


def test_a_key_that_was_regenerated_is_presented_once_up_has_run(azure: Azure) -> None:
    first = deploy(azure)
    database = first.one("Database").id

    azure.cloud.regenerate_database_key(database, "Primary")
    assert not searched(first)

    assert searched(deploy(azure, after=first))


def test_a_service_that_has_a_cache_is_told_at_preview(azure: Azure) -> None:
    deploy(azure)

    with pytest.raises(DeployError, match=r"has a cache already.*\n.*Cache.*\n.*with connected in redis"):
        deploy(azure, preview=True)


@pytest.mark.parametrize(
    ("redis", "told"),
    [
        pytest.param({"connected": True}, "the service has its cache already; leave SemanticCache out", id="connected"),
        pytest.param({"sku": "FlashOptimized_A250"}, "is not valid; allowed: a SKU .* that has RediSearch", id="flash"),
        pytest.param(RedisOptions(existing=SHARED, sku="Balanced_B1"), "cannot be set on an adopted Redis", id="both"),
    ],
)
def test_options_that_cannot_be_are_refused(azure: Azure, redis: Any, told: str) -> None:
    with pytest.raises(DeployError, match=told):
        deploy(azure, redis)


class TestEmbeddings:
    """Backends of the deployments that measure prompts."""

    def deploy(self, azure: Azure, **args: Any) -> Deployed:
        deployments = [DeploymentOptions(name="embed", model="text-embedding-3-small")]
        accounts = [AccountOptions(name="oai-a"), AccountOptions(name="oai-b", location="francecentral")]
        inputs: Any = {
            "resource_group_name": GROUP,
            "gateway_resource_group_name": GROUP,
            "service_name": SERVICE,
            "openai": OpenAIOptions(accounts=accounts, deployments=deployments),
            "users": {"system-assigned": azure.principal_id},
            **args,
        }
        build = exporting(lambda: OpenAIBackend("openai", inputs), "embeddings_backend_ids")
        return deploy_component(build, azure.cloud)

    def test_a_backend_names_the_deployment_and_waits_for_the_role(self, azure: Azure) -> None:
        deployed = self.deploy(azure, embeddings={"oai-b": ["embed"]}, name_prefix="team-")

        backend = deployed.one("Backend", "openai-embeddings-oai-b-embed").inputs
        assert backend["url"] == "https://oai-b.openai.azure.com/openai/deployments/embed/embeddings"
        assert deployed.outputs["embeddings_backend_ids"] == {"oai-b/embed": "team-openai-embeddings-oai-b-embed"}

    def test_an_account_that_does_not_exist_is_told(self, azure: Azure) -> None:
        with pytest.raises(DeployError, match=r'embeddings\[0\]: "oai-c" is not'):
            self.deploy(azure, embeddings={"oai-c": ["embed"]})
