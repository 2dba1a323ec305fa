"""Azure Managed Redis as the cache of an API Management service."""

from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, redisenterprise

from components._clashes import CACHES, report_clash
from components._endpoints import REDIS_ZONE, PrivateEndpoints, create_endpoint, private_endpoints, public_access
from components._inputs import read_options
from components._names import unique_name
from components._subscriptions import child_options, invoke_options
from options import ExistingRedis, RedisAccessKey, RedisOptions

_DATABASE = "default"
"""Name of a cluster's database."""
_PLACE = "default"
"""Identifier of the cache that all regions of a service use."""
_SKU = "Balanced_B0"
_PORT = 10000


class SemanticCacheArgs(TypedDict):
    """Inputs of `SemanticCache`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the Redis that is created."""
    gateway_resource_group_name: pulumi.Input[str]
    """Resource group of the API Management service."""
    service_name: pulumi.Input[str]
    """API Management service that uses the cache, in all of its regions."""
    gateway_subscription_id: NotRequired[str | None]
    """Subscription of the API Management service. Defaults to that of the component's own provider."""
    redis: NotRequired[RedisOptions | None]
    """Redis to create or adopt. By default one is created."""
    private_endpoints: NotRequired[PrivateEndpoints | None]
    """Where the private endpoint of a Redis that is created goes. By default it has none, and is reached from the
    internet."""


class SemanticCache(pulumi.ComponentResource):
    """Azure Managed Redis with RediSearch, connected to an API Management service as its cache."""

    cache_id: pulumi.Output[str]
    """Resource ID of the service's cache."""
    redis_id: pulumi.Output[str]
    """Resource ID of the Redis cluster."""

    def __init__(self, name: str, args: SemanticCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:SemanticCache", name, {}, opts)
        redis = read_options(RedisOptions, args.get("redis") or RedisOptions(), "redis")
        if redis.connected:
            raise pulumi.RunError("redis.connected: the service has its cache already; leave SemanticCache out")
        self._names: list[pulumi.Resource] = []
        if redis.existing is None:
            endpoint, keys = self._create(name, redis, args)
        else:
            endpoint, keys = self._adopt(redis.existing)
        secondary = redis.access_key is RedisAccessKey.SECONDARY
        password = keys.apply(lambda found: str(found.secondary_key if secondary else found.primary_key))
        # With access keys: there is no Microsoft Entra authentication ("Use an external Redis-compatible cache").
        connection_string: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.concat(endpoint, ",password=", password, ",ssl=True,abortConnect=False")
        )
        service = {
            "resourceGroupName": args["gateway_resource_group_name"],
            "serviceName": args["service_name"],
            "cacheId": _PLACE,
        }
        cache = apimanagement.Cache(
            f"{name}-cache",
            cache_id=_PLACE,
            resource_group_name=args["gateway_resource_group_name"],
            service_name=args["service_name"],
            use_from_location=_PLACE,
            connection_string=connection_string,
            opts=child_options(self, args.get("gateway_subscription_id"), depends_on=self._names),
        )
        report_clash(
            cache,
            "apimanagement:getCache",
            service,
            kind=CACHES,
            opts=invoke_options(self, args.get("gateway_subscription_id")),
        )
        self.cache_id = cache.id
        self.register_outputs({"cacheId": self.cache_id, "redisId": self.redis_id})

    def _create(
        self, name: str, redis: RedisOptions, args: SemanticCacheArgs
    ) -> tuple[pulumi.Output[str], pulumi.Output[redisenterprise.ListDatabaseKeysResult]]:
        """Create cluster and database; return where the database is, and its keys."""
        group, endpoints = args["resource_group_name"], private_endpoints(args)
        replaced_on = {"resourceGroup": group, "location": redis.location}
        cluster = redisenterprise.RedisEnterprise(
            f"{name}-redis",
            cluster_name=redis.name or unique_name(name, "redis", limit=60, replaced_on=replaced_on, parent=self),
            resource_group_name=group,
            location=redis.location,
            sku={"name": redis.sku or _SKU},
            high_availability="Enabled" if redis.high_availability else "Disabled",
            minimum_tls_version=redisenterprise.TlsVersion.TLS_VERSION_1_2,
            public_network_access=redisenterprise.PublicNetworkAccess.ENABLED
            if public_access(endpoints)
            else redisenterprise.PublicNetworkAccess.DISABLED,
            opts=pulumi.ResourceOptions(parent=self),
        )
        database = redisenterprise.Database(
            f"{name}-database",
            database_name=_DATABASE,
            cluster_name=cluster.name,
            resource_group_name=group,
            # What RediSearch needs ("Plan for Redis modules").
            modules=[{"name": "RediSearch"}],
            clustering_policy=redisenterprise.ClusteringPolicy.ENTERPRISE_CLUSTER,
            eviction_policy=redisenterprise.EvictionPolicy.NO_EVICTION,
            access_keys_authentication=redisenterprise.AccessKeysAuthentication.ENABLED,
            client_protocol=redisenterprise.Protocol.ENCRYPTED,
            port=_PORT,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if endpoints is not None:
            self._names.append(
                create_endpoint(
                    f"{name}-redis",
                    cluster.id,
                    "redisEnterprise",
                    [REDIS_ZONE],
                    endpoints=endpoints,
                    resource_group_name=group,
                    parent=self,
                    depends_on=[database],
                )
            )
        self.redis_id = cluster.id
        # Called with known values: the engine does not answer calls that depend on a component in a YAML program.
        keys: pulumi.Output[redisenterprise.ListDatabaseKeysResult]
        keys = pulumi.Output.all(group, cluster.name, database.name).apply(
            lambda known: redisenterprise.list_database_keys_output(
                resource_group_name=known[0],
                cluster_name=known[1],
                database_name=known[2],
                opts=invoke_options(self, None),
            )
        )
        return pulumi.Output.concat(cluster.host_name, f":{_PORT}"), keys

    def _adopt(
        self, existing: ExistingRedis
    ) -> tuple[pulumi.Output[str], pulumi.Output[redisenterprise.ListDatabaseKeysResult]]:
        """Look an existing Redis up and check that it can be searched; return what `_create` returns."""
        opts = invoke_options(self, existing.subscription_id)
        cluster = redisenterprise.get_redis_enterprise_output(
            cluster_name=existing.name, resource_group_name=existing.resource_group, opts=opts
        )
        database = redisenterprise.get_database_output(
            cluster_name=existing.name,
            database_name=_DATABASE,
            resource_group_name=existing.resource_group,
            opts=opts,
        ).apply(lambda found: _checked(existing, found))
        self.redis_id = cluster.id
        keys: pulumi.Output[redisenterprise.ListDatabaseKeysResult]
        keys = database.apply(
            lambda found: redisenterprise.list_database_keys_output(
                cluster_name=existing.name,
                database_name=found.name,
                resource_group_name=existing.resource_group,
                opts=opts,
            )
        )
        return pulumi.Output.all(cluster, database).apply(lambda found: f"{found[0].host_name}:{found[1].port}"), keys


def _checked(existing: ExistingRedis, database: redisenterprise.GetDatabaseResult) -> redisenterprise.GetDatabaseResult:
    """Return a database that the gateway can search.

    Raises:
        pulumi.RunError: It cannot.

    """
    problem = None
    if not any(module.name == "RediSearch" for module in database.modules or ()):
        problem = "has no module RediSearch, which only a new database can get; name another Redis"
    elif database.access_keys_authentication != "Enabled":
        problem = "refuses access keys, with which alone API Management connects; turn them on, or name another Redis"
    elif database.client_protocol != "Encrypted":
        problem = "is reached without TLS, so its key would be sent openly; encrypt it, or name another Redis"
    if problem is not None:
        raise pulumi.RunError(f"the database of Redis {existing.name} {problem}")
    return database
