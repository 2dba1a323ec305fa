"""Creates what a config adopts: another team's service, accounts, vaults, certificates and identities."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from apim_emulator.azure import KEY_VAULT_SECRETS_OFFICER, Cloud, CloudError
from apim_emulator.services.azure_monitor import MONITORING_METRICS_PUBLISHER
from apim_emulator.services.azure_openai import OPENAI_USER
from apim_emulator.services.content_safety import COGNITIVE_SERVICES_USER

MODELS = ("gpt-5.6-luna", "text-embedding-3-large")
"""Models that are deployed in an adopted account, under their own names."""

_NAMESPACE = "openai-gateway"
_LOCATION = "swedencentral"
_IDENTITY = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_ACTION_GROUP = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Insights/actionGroups/(?P<name>[^/]+)",
    re.IGNORECASE,
)

_SUBNET = re.compile(
    r"(?P<network_id>/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Network/virtualNetworks/(?P<network>[^/]+))/subnets/(?P<subnet>[^/]+)",
    re.IGNORECASE,
)
ZONES = (
    "privatelink.azure-api.net",
    "privatelink.cognitiveservices.azure.com",
    "privatelink.openai.azure.com",
    "privatelink.redis.azure.net",
    "privatelink.services.ai.azure.com",
    "privatelink.vaultcore.azure.net",
)
"""Private DNS zones that somebody else owns, where a config adopts zones."""

Config = Mapping[str, Any]
"""Stack config with full keys. It is not validated here, since the program does that and reports mistakes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """The place and the name of a resource that a config adopts."""

    subscription: str | None
    """None: the deployer's own."""
    group: str
    name: str


def subscription_id(config: Config) -> str | None:
    """Return the Azure subscription that a config deploys to, or None for that of the deployer's login."""
    return _text(config.get("azure-native:subscriptionId"))


def create_existing(cloud: Cloud, config: Config) -> None:
    """Create the resources to which `existing` entries and identity IDs in a config refer, as far as they are valid."""
    own = subscription_id(config)
    if own is not None:
        cloud.add_subscription(own)
    identities = list(_identities(config))
    for identity in identities:
        place = _Place(subscription=identity["subscription"], group=identity["group"], name=identity["name"])
        _create(cloud, "managedidentity:UserAssignedIdentity", place, resourceName=place.name)
    joined = _create_network(cloud, config)
    for place in _adopted([_section(config, "gateway")], own):
        _create_service(cloud, place, [identity[0] for identity in identities], joined)
    _create_accounts(cloud, config, own, identities)
    caches = [_section(config, "cache"), *_api_values(config, "cache")]
    redis = list(_mappings([cache.get("redis") for cache in caches]))
    for place in _adopted(redis, own):
        _create_redis(cloud, place)
    if any(one.get("connected") is True for one in redis):
        for place in _adopted([_section(config, "gateway")], own):
            _connect_redis(cloud, place)
    _create_observability(cloud, config, own, identities)
    _create_vaults(cloud, config, own)


def _create_vaults(cloud: Cloud, config: Config, own: str | None) -> None:
    """Create the vaults for keys of accounts and of teams, and those with certificates."""
    keys = (_section(config, "key"), *_api_values(config, "key"))
    of_teams = _mappings([team.get("keys") for team in _mappings(config.get(f"{_NAMESPACE}:teams"))])
    for vault in (*_mappings([key.get("vault") for key in keys]), *of_teams):
        for place in _adopted([vault], own):
            _create_vault(cloud, place, officer=vault.get("secretsOfficer") is True)
    for hostname in _mappings(_section(config, "gateway").get("hostnames")):
        for place in _adopted([{"existing": hostname.get("vault")}], own):
            _create_vault(cloud, place, officer=False)
            _create(
                cloud,
                "keyvault:Secret",
                place,
                vaultName=place.name,
                secretName=hostname.get("certificate"),
                properties={"value": "not a certificate, but nothing reads it", "contentType": "application/x-pkcs12"},
            )


def _create_accounts(cloud: Cloud, config: Config, own: str | None, identities: list[re.Match[str]]) -> None:
    """Create the accounts that serve models and those that check content, with the roles that their owners gave."""
    checking = [_section(config, "safety"), *_api_values(config, "safety")]
    models = [
        (account, _create_account, OPENAI_USER) for account in _mappings(_section(config, "openai").get("accounts"))
    ]
    checkers = [
        (account, _create_safety_account, COGNITIVE_SERVICES_USER)
        for account in _mappings([safety.get("account") for safety in checking])
    ]
    for account, create, role_id in (*models, *checkers):
        for place in _adopted([account], own):
            create(cloud, place)
            if account["existing"].get("roleAssigned") is True:
                _assign_role(cloud, _scope(cloud, place, "Microsoft.CognitiveServices/accounts"), identities, role_id)


def _create_observability(cloud: Cloud, config: Config, own: str | None, identities: list[re.Match[str]]) -> None:
    """Create the action group, the workspace and the Application Insights component, which has its own workspace."""
    observability = _section(config, "observability")
    for alerts in _mappings([observability.get("alerts")]):
        if group := _ACTION_GROUP.fullmatch(str(alerts.get("actionGroup"))):
            place = _Place(subscription=group["subscription"], group=group["group"], name=group["name"])
            _create(cloud, "monitor:ActionGroup", place, actionGroupName=place.name, groupShortName="shared")
    for place in _adopted([observability.get("logAnalytics")], own):
        _create(cloud, "operationalinsights:Workspace", place, workspaceName=place.name)
    for insights in _mappings([observability.get("appInsights")]):
        for place in _adopted([insights], own):
            workspace = f"log-{place.name}"
            _create(cloud, "operationalinsights:Workspace", place, workspaceName=workspace)
            _create(
                cloud,
                "applicationinsights:Component",
                place,
                resourceName=place.name,
                kind="web",
                applicationType="web",
                workspaceResourceId=_scope(
                    cloud, replace(place, name=workspace), "Microsoft.OperationalInsights/workspaces"
                ),
                disableLocalAuth=True,
            )
            if insights["existing"].get("roleAssigned") is True:
                scope = _scope(cloud, place, "Microsoft.Insights/components")
                _assign_role(cloud, scope, identities, MONITORING_METRICS_PUBLISHER)


def _create_network(cloud: Cloud, config: Config) -> str | None:
    """Create the virtual networks, subnets and DNS zones that a config adopts.

    Returns the subnet that an adopted service has joined, in the network of the private endpoints.
    """
    network = _section(config, "network")
    adopted = next(_mappings([network.get("existing")]), {})
    gateway = _section(config, "gateway")
    endpoints, given = (_SUBNET.fullmatch(str(adopted.get(name))) for name in ("endpointSubnet", "gatewaySubnet"))
    own = None if endpoints is None else _SUBNET.fullmatch(f"{endpoints['network_id']}/subnets/joined-before")
    joined = own if isinstance(gateway.get("existing"), Mapping) else given
    places = [found for found in (endpoints, joined) if found is not None]
    further = [_SUBNET.fullmatch(str(one.get("subnet"))) for one in _mappings(gateway.get("additionalLocations"))]
    for number, found in enumerate([*places, *filter(None, further)]):
        _create_subnet(cloud, found, number, _delegation(gateway, network) if found is joined else None)
    for zones in _mappings([network.get("dnsZones")]):
        subscription = _text(zones.get("subscriptionId")) or subscription_id(config)
        for zone in ZONES:
            place = _Place(subscription=subscription, group=str(zones.get("resourceGroup")), name=zone)
            _create(cloud, "privatedns:PrivateZone", place, privateZoneName=zone, location="global")
    return None if joined is None else joined[0]


def _delegation(gateway: Mapping[str, Any], network: Mapping[str, Any]) -> str | None:
    sku = "StandardV2" if "existing" in gateway else str(gateway.get("sku"))
    if not sku.endswith("V2"):
        return None
    return "Microsoft.Web/hostingEnvironments" if network.get("gateway") == "internal" else "Microsoft.Web/serverFarms"


def _create_subnet(cloud: Cloud, found: re.Match[str], number: int, delegation: str | None) -> None:
    """Create a subnet, with its network and a security group, unless they exist."""
    place = _Place(subscription=found["subscription"], group=found["group"], name=found["network"])
    names = {"virtualNetworkName": place.name}
    _create(cloud, "network:VirtualNetwork", place, **names, addressSpace={"addressPrefixes": ["10.90.0.0/16"]})
    _create(cloud, "network:NetworkSecurityGroup", place, networkSecurityGroupName=f"nsg-{place.name}")
    rules = f"{found['network_id'].rpartition('/virtualNetworks/')[0]}/networkSecurityGroups/nsg-{place.name}"
    _create(
        cloud,
        "network:Subnet",
        place,
        **names,
        subnetName=found["subnet"],
        addressPrefix=f"10.90.{number}.0/24",
        networkSecurityGroup={"id": rules},
        delegations=[{"name": "gateway", "serviceName": delegation}] if delegation else [],
    )


def _create_service(cloud: Cloud, place: _Place, identities: list[str], subnet: str | None) -> None:
    network = {"virtualNetworkType": "External", "virtualNetworkConfiguration": {"subnetResourceId": subnet}}
    identity: dict[str, Any] = {"type": "SystemAssigned"}
    if identities:
        identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {key: {} for key in identities}}
    _create(
        cloud,
        "apimanagement:ApiManagementService",
        place,
        serviceName=place.name,
        publisherName="Shared",
        publisherEmail="shared@example.com",
        sku={"name": "StandardV2", "capacity": 1},
        identity=identity,
        **(network if subnet else {}),
    )


def _create_vault(cloud: Cloud, place: _Place, *, officer: bool) -> None:
    properties = {
        "tenantId": cloud.tenant_id,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    _create(cloud, "keyvault:Vault", place, vaultName=place.name, properties=properties)
    if officer:
        assignment = {
            "scope": _scope(cloud, place, "Microsoft.KeyVault/vaults"),
            "principalId": cloud.deployer_object_id,
            "principalType": "User",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{KEY_VAULT_SECRETS_OFFICER}",
        }
        with suppress(CloudError):  # the config may adopt the vault twice
            cloud.create("azure-native:authorization:RoleAssignment", place.name, assignment)


def _create_account(cloud: Cloud, place: _Place) -> None:
    _create(
        cloud,
        "cognitiveservices:Account",
        place,
        accountName=place.name,
        kind="OpenAI",
        sku={"name": "S0"},
        properties={"customSubDomainName": place.name, "disableLocalAuth": False},
    )
    for model in MODELS:
        _create(
            cloud,
            "cognitiveservices:Deployment",
            place,
            accountName=place.name,
            deploymentName=model,
            sku={"name": "GlobalStandard", "capacity": 1},
            properties={"model": {"format": "OpenAI", "name": model}},
        )


def _create_safety_account(cloud: Cloud, place: _Place) -> None:
    _create(
        cloud,
        "cognitiveservices:Account",
        place,
        accountName=place.name,
        kind="ContentSafety",
        sku={"name": "S0"},
        properties={"customSubDomainName": place.name, "disableLocalAuth": True},
    )


def _create_redis(cloud: Cloud, place: _Place) -> None:
    _create(
        cloud,
        "redisenterprise:RedisEnterprise",
        place,
        clusterName=place.name,
        sku={"name": "Balanced_B0"},
        publicNetworkAccess="Enabled",
    )
    _create(
        cloud,
        "redisenterprise:Database",
        place,
        clusterName=place.name,
        databaseName="default",
        modules=[{"name": "RediSearch"}],
        clusteringPolicy="EnterpriseCluster",
        evictionPolicy="NoEviction",
        accessKeysAuthentication="Enabled",
    )


def _connect_redis(cloud: Cloud, service: _Place) -> None:
    """Create a Redis beside an adopted service, and connect it as the cache that the service has already."""
    place = replace(service, name=f"redis-of-{service.name}")
    _create_redis(cloud, place)
    database = {"resourceGroupName": place.group, "clusterName": place.name, "databaseName": "default"}
    with suppress(CloudError):  # the config may name the service wrongly, which the program reports
        keys = cloud.invoke(
            "azure-native:redisenterprise:listDatabaseKeys", database, subscription_id=place.subscription
        )
        cluster = {"resourceGroupName": place.group, "clusterName": place.name}
        host = cloud.invoke(
            "azure-native:redisenterprise:getRedisEnterprise", cluster, subscription_id=place.subscription
        )["hostName"]
        _create(
            cloud,
            "apimanagement:Cache",
            service,
            serviceName=service.name,
            cacheId="default",
            useFromLocation="default",
            connectionString=f"{host}:10000,password={keys['primaryKey']},ssl=True,abortConnect=False",
        )


def _scope(cloud: Cloud, place: _Place, resource_type: str) -> str:
    """Return the resource ID of what is at a place."""
    group = f"/subscriptions/{place.subscription or cloud.subscription_id}/resourceGroups/{place.group}"
    return f"{group}/providers/{resource_type}/{place.name}"


def _assign_role(cloud: Cloud, scope: str, identities: list[re.Match[str]], role_id: str) -> None:
    """Assign the role with which a gateway calls a resource to every identity that a config adopts."""
    principals = {found.principal_id for gateway in cloud.gateways() for found in gateway.identities}
    for identity in identities:
        args = {"resourceGroupName": identity["group"], "resourceName": identity["name"]}
        function = "azure-native:managedidentity:getUserAssignedIdentity"
        principals.add(cloud.invoke(function, args, subscription_id=identity["subscription"])["principalId"])
    role = f"/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
    for principal_id in sorted(principals):
        given = {"scope": scope, "principalId": principal_id, "principalType": "ServicePrincipal"}
        with suppress(CloudError):  # the config may adopt it twice
            cloud.create("azure-native:authorization:RoleAssignment", principal_id, {**given, "roleDefinitionId": role})


def _create(cloud: Cloud, resource_type: str, place: _Place, **inputs: Any) -> None:
    """Create a resource, its group and its subscription; the program reports what exists already or is not valid."""
    if place.subscription is not None:
        cloud.add_subscription(place.subscription)
    for token, values in (
        ("azure-native:resources:ResourceGroup", {}),
        (f"azure-native:{resource_type}", inputs),
    ):
        location = {"location": _LOCATION} if cloud.has_location(token) else {}
        try:
            given = {"resourceGroupName": place.group, **location, **values}
            cloud.create(token, place.group, given, subscription_id=place.subscription)
        except CloudError:
            continue


def _adopted(sections: Any, own: str | None) -> Iterator[_Place]:
    """Yield the place of each `existing` entry; `own` is the subscription of those without one."""
    for section in _mappings(list(sections)):
        existing = section.get("existing")
        if isinstance(existing, Mapping):
            group, name = existing.get("resourceGroup"), existing.get("name")
            if isinstance(group, str) and isinstance(name, str):
                yield _Place(subscription=_text(existing.get("subscriptionId")) or own, group=group, name=name)


def _identities(config: Config) -> Iterator[re.Match[str]]:
    values = [_section(config, "gateway"), *_mappings(config.get(f"{_NAMESPACE}:apis"))]
    for value in dict.fromkeys(str(section.get("identity")) for section in values):
        if match := _IDENTITY.fullmatch(value):
            yield match


def _api_values(config: Config, key: str) -> Iterator[Mapping[str, Any]]:
    return _mappings([api.get(key) for api in _mappings(config.get(f"{_NAMESPACE}:apis"))])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _section(config: Config, key: str) -> Mapping[str, Any]:
    return next(_mappings([config.get(f"{_NAMESPACE}:{key}")]), {})


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in value if isinstance(entry, Mapping)) if isinstance(value, list) else iter(())
