from typing import Any

import pytest

from apim_emulator.azure import Cloud, Faults
from apim_emulator.clock import Clock
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.mocks import Registration
from components import (
    ApiGateway,
    ContentSafety,
    ManagedIdentityApi,
    OpenAIBackend,
    PrivateEndpoints,
    PrivateNetwork,
    SemanticCache,
    Team,
    TeamApi,
)
from options import (
    AccountOptions,
    AdditionalLocationOptions,
    ExistingDnsZones,
    ExistingNetwork,
    ExistingResource,
    GatewayNetwork,
    GatewayOptions,
    GatewaySku,
    InboundEndpointOptions,
    NetworkMode,
    NetworkOptions,
    OpenAIOptions,
    TeamKeysOptions,
)
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

pytestmark = pytest.mark.slow

FARMS = "Microsoft.Web/serverFarms"
ZONES = [
    "privatelink.cognitiveservices.azure.com",
    "privatelink.openai.azure.com",
    "privatelink.services.ai.azure.com",
]


def private(**more: Any) -> NetworkOptions:
    return NetworkOptions(mode=NetworkMode.PRIVATE, **more)


def deploy(azure: Azure, network: NetworkOptions | None = None, *, preview: bool = False, **args: Any) -> Deployed:
    inputs: Any = {"resource_group_name": GROUP, "location": "swedencentral", **args}
    if network is not None:
        inputs["network"] = network
    outputs = ("network_id", "location", "gateway_subnet_id", "endpoint_subnet_id", "zone_ids")
    program = exporting(lambda: PrivateNetwork("network", inputs), *outputs)
    return deploy_component(program, azure.cloud, preview=preview)


def build_service(sku: GatewaySku, network: NetworkOptions, gateway: GatewayOptions | None = None) -> ApiGateway:
    """Make a service in a network, with the endpoints that it needs."""
    place: Any = {"resource_group_name": GROUP, "location": "swedencentral"}
    inputs: Any = {**place, "network": network, "sku": sku}
    around = PrivateNetwork("network", inputs)
    options = gateway or GatewayOptions(sku=sku, publisher_name="Contoso", publisher_email="ai@contoso.com")
    inputs = {
        **place,
        "gateway": options,
        "network": network,
        "network_id": around.network_id,
        "gateway_subnet_id": around.gateway_subnet_id,
        "private_endpoints": endpoints_of(around),
    }
    return ApiGateway("gateway", inputs)


def endpoints_of(network: PrivateNetwork, **more: Any) -> PrivateEndpoints:
    return PrivateEndpoints(
        subnet_id=network.endpoint_subnet_id, location=network.location, zone_ids=network.zone_ids, **more
    )


def service(
    azure: Azure, sku: GatewaySku, network: NetworkOptions, *, preview: bool = False, gateway: Any = None
) -> Deployed:
    program = exporting(lambda: build_service(sku, network, gateway), "service_id")
    return deploy_component(program, azure.cloud, preview=preview)


def subnet(deployed: Deployed, name: str) -> Registration:
    return next(found for found in deployed.all("Subnet") if found.inputs["subnetName"] == name)


def test_a_network_is_created_with_a_subnet_for_endpoints_and_all_zones(azure: Azure) -> None:
    deployed = deploy(azure)

    assert deployed.one("VirtualNetwork").inputs["addressSpace"] == {"addressPrefixes": ["10.80.0.0/23"]}
    only = deployed.one("Subnet")
    assert (only.inputs["subnetName"], only.inputs["addressPrefix"]) == ("endpoints", "10.80.1.0/24")
    assert "gateway_subnet_id" not in deployed.outputs
    assert set(deployed.outputs["zone_ids"]) == {
        *ZONES,
        "privatelink.azure-api.net",
        "privatelink.redis.azure.net",
        "privatelink.vaultcore.azure.net",
    }
    links = deployed.all("VirtualNetworkLink")
    assert {link.inputs["virtualNetwork"]["id"] for link in links} == {deployed.outputs["network_id"]}
    assert {found.inputs["location"] for found in (*links, *deployed.all("PrivateZone"))} == {"global"}


@pytest.mark.parametrize(
    ("sku", "way", "delegation"),
    [
        (GatewaySku.STANDARD_V2, None, FARMS),
        (GatewaySku.PREMIUM_V2, None, FARMS),
        (GatewaySku.PREMIUM_V2, GatewayNetwork.INTERNAL, "Microsoft.Web/hostingEnvironments"),
        (GatewaySku.DEVELOPER, None, None),
        (GatewaySku.PREMIUM, GatewayNetwork.INTERNAL, None),
    ],
)
def test_the_service_s_subnet_is_delegated_as_its_tier_needs(
    azure: Azure, sku: GatewaySku, way: GatewayNetwork | None, delegation: str | None
) -> None:
    deployed = deploy(azure, private(gateway=way, address_space="192.168.0.0/26"), sku=sku)

    gateway, endpoints = subnet(deployed, "gateway"), subnet(deployed, "endpoints")
    assert gateway.inputs["addressPrefix"] == "192.168.0.0/27"
    assert endpoints.inputs["addressPrefix"] == "192.168.0.32/27"
    assert gateway.name in deployed.waits_for(endpoints)
    given = [found["serviceName"] for found in gateway.inputs.get("delegations") or ()]
    assert given == ([] if delegation is None else [delegation])
    assert gateway.inputs["networkSecurityGroup"]["id"] == deployed.one("NetworkSecurityGroup").id


@pytest.mark.parametrize("way", [GatewayNetwork.EXTERNAL, GatewayNetwork.INTERNAL])
def test_an_injected_service_gets_the_rules_that_it_needs(azure: Azure, way: GatewayNetwork) -> None:
    deployed = deploy(azure, private(gateway=way), sku=GatewaySku.DEVELOPER)

    rules = deployed.one("NetworkSecurityGroup").inputs["securityRules"]
    inbound = {
        (rule["sourceAddressPrefix"], rule["destinationPortRange"])
        for rule in rules
        if rule["direction"] == "Inbound" and rule["protocol"] == "Tcp"
    }
    outbound = {rule["destinationAddressPrefix"] for rule in rules if rule["direction"] == "Outbound"}
    assert {("ApiManagement", "3443"), ("AzureLoadBalancer", "6390")} <= inbound
    assert (("Internet", "443") in inbound) == (way is GatewayNetwork.EXTERNAL)
    assert {"Storage", "Sql", "AzureKeyVault", "AzureMonitor", "Internet"} <= outbound


def test_networks_of_other_regions_resolve_the_names_too(azure: Azure) -> None:
    deployed = deploy(azure, zones=ZONES[:1])
    west = {
        "virtualNetworkName": "vnet-west",
        "location": "westeurope",
        "addressSpace": {"addressPrefixes": ["10.90.0.0/24"]},
    }
    network_id = azure.create("network:VirtualNetwork", west)[0]

    further = deploy(azure, zones=ZONES[1:2], further_subnet_ids=[f"{network_id}/subnets/gateway"])

    assert len(deployed.all("VirtualNetworkLink")) == 1
    linked = {link.inputs["virtualNetwork"]["id"].lower() for link in further.all("VirtualNetworkLink")}
    assert linked == {further.outputs["network_id"].lower(), network_id.lower()}


def shared_network(azure: Azure, delegation: str | None = FARMS, *, rules: bool = True) -> ExistingNetwork:
    """Make a network of another team, with subnets for a service and for endpoints."""
    names = {"virtualNetworkName": "vnet-shared"}
    network = {**names, "location": "swedencentral", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    azure.create("network:VirtualNetwork", network)
    group = {"networkSecurityGroupName": "nsg", "location": "swedencentral"}
    group_id = azure.create("network:NetworkSecurityGroup", group)[0]
    gateway = {
        **names,
        "subnetName": "gateway",
        "addressPrefix": "10.0.0.0/24",
        "delegations": [{"name": "gateway", "serviceName": delegation}] if delegation else [],
        **({"networkSecurityGroup": {"id": group_id}} if rules else {}),
    }
    endpoints = {**names, "subnetName": "endpoints", "addressPrefix": "10.0.1.0/24"}
    return ExistingNetwork(
        gateway_subnet=azure.create("network:Subnet", gateway)[0],
        endpoint_subnet=azure.create("network:Subnet", endpoints)[0],
    )


def test_an_adopted_network_is_left_as_it_is(azure: Azure) -> None:
    existing = shared_network(azure)

    deployed = deploy(azure, private(existing=existing), sku=GatewaySku.STANDARD_V2, zones=ZONES)

    assert deployed.all("VirtualNetwork") == deployed.all("Subnet") == []
    assert deployed.outputs["gateway_subnet_id"] == existing.gateway_subnet
    assert deployed.outputs["endpoint_subnet_id"] == existing.endpoint_subnet
    assert deployed.outputs["location"] == "swedencentral"
    assert len(deployed.all("VirtualNetworkLink")) == len(ZONES)


def test_adopted_zones_are_left_as_they_are(azure: Azure) -> None:
    for zone in ZONES:
        azure.create("privatedns:PrivateZone", {"privateZoneName": zone, "location": "global"})

    deployed = deploy(azure, private(dns_zones=ExistingDnsZones(resource_group=GROUP)), zones=ZONES)

    assert deployed.all("PrivateZone") == deployed.all("VirtualNetworkLink") == []
    assert set(deployed.outputs["zone_ids"]) == set(ZONES)


@pytest.mark.parametrize(
    ("sku", "delegation", "rules", "message"),
    [
        (GatewaySku.STANDARD_V2, None, True, f"is delegated to nothing, and must be delegated to {FARMS}"),
        (GatewaySku.DEVELOPER, FARMS, True, f"is delegated to {FARMS}, and must be delegated to nothing"),
        (GatewaySku.STANDARD_V2, FARMS, False, "has no network security group"),
    ],
)
def test_an_adopted_subnet_that_azure_would_refuse_is_refused_before_it(
    azure: Azure, sku: GatewaySku, delegation: str | None, rules: bool, message: str
) -> None:
    existing = shared_network(azure, delegation, rules=rules)

    with pytest.raises(DeployError, match=message):
        deploy(azure, private(existing=existing), sku=sku, zones=ZONES, preview=True)


def test_a_public_network_is_none(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"network\.mode: is public"):
        deploy(azure, NetworkOptions())


@pytest.mark.parametrize(
    ("sku", "way", "kind"),
    [
        (GatewaySku.STANDARD_V2, None, "External"),
        (GatewaySku.PREMIUM_V2, GatewayNetwork.INTERNAL, "Internal"),
        (GatewaySku.DEVELOPER, None, "External"),
    ],
)
def test_the_service_joins_the_network(azure: Azure, sku: GatewaySku, way: GatewayNetwork | None, kind: str) -> None:
    deployed = service(azure, sku, private(gateway=way))

    inputs = deployed.one("ApiManagementService").inputs
    assert (inputs["virtualNetworkType"], inputs["publicNetworkAccess"]) == (kind, "Enabled")
    assert inputs["virtualNetworkConfiguration"] == {"subnetResourceId": subnet(deployed, "gateway").id}


def test_an_injected_service_has_a_record_in_a_zone_of_its_own(azure: Azure) -> None:
    deployed = service(azure, GatewaySku.DEVELOPER, private(gateway=GatewayNetwork.INTERNAL))

    name = deployed.one("ApiManagementService").outputs["name"]
    record = deployed.one("PrivateRecordSet").inputs
    assert record["privateZoneName"] == f"{name}.azure-api.net"
    assert (record["relativeRecordSetName"], record["aRecords"]) == ("@", [{"ipv4Address": "10.80.0.4"}])


def test_whoever_owns_the_zones_adds_the_record(azure: Azure) -> None:
    for zone in (
        *ZONES,
        "privatelink.azure-api.net",
        "privatelink.redis.azure.net",
        "privatelink.vaultcore.azure.net",
    ):
        azure.create("privatedns:PrivateZone", {"privateZoneName": zone, "location": "global"})
    zones = ExistingDnsZones(resource_group=GROUP)

    deployed = service(azure, GatewaySku.DEVELOPER, private(gateway=GatewayNetwork.INTERNAL, dns_zones=zones))

    assert deployed.all("PrivateZone") == deployed.all("PrivateRecordSet") == []


def test_each_additional_location_joins_its_own_subnet(azure: Azure) -> None:
    names = {"virtualNetworkName": "vnet-west"}
    west = {**names, "location": "westeurope", "addressSpace": {"addressPrefixes": ["10.90.0.0/24"]}}
    azure.create("network:VirtualNetwork", west)
    group = {"networkSecurityGroupName": "nsg-west", "location": "westeurope"}
    rules = azure.create("network:NetworkSecurityGroup", group)[0]
    part = {
        **names,
        "subnetName": "gateway",
        "addressPrefix": "10.90.0.0/25",
        "networkSecurityGroup": {"id": rules},
    }
    subnet_id = azure.create("network:Subnet", part)[0]
    gateway = GatewayOptions(
        sku=GatewaySku.PREMIUM,
        publisher_name="Contoso",
        publisher_email="ai@contoso.com",
        additional_locations=[AdditionalLocationOptions(location="westeurope", subnet=subnet_id)],
    )

    deployed = service(azure, GatewaySku.PREMIUM, private(), gateway=gateway)

    location = deployed.one("ApiManagementService").inputs["additionalLocations"][0]
    assert location["virtualNetworkConfiguration"] == {"subnetResourceId": subnet_id}


def test_a_private_endpoint_leads_to_the_service(azure: Azure) -> None:
    deployed = service(azure, GatewaySku.STANDARD_V2, private(inbound_endpoint=InboundEndpointOptions()))

    connection = deployed.one("PrivateEndpoint").inputs["privateLinkServiceConnections"][0]
    assert connection["privateLinkServiceId"] == deployed.outputs["service_id"]
    assert connection["groupIds"] == ["Gateway"]
    assert deployed.one("ApiManagementService").inputs["publicNetworkAccess"] == "Enabled"


SHUT = private(inbound_endpoint=InboundEndpointOptions(public_access=False))


def test_a_preview_refuses_to_shut_the_internet_out_of_a_service_without_an_endpoint(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"cannot be false yet, .* run up with true, then set false"):
        service(azure, GatewaySku.STANDARD_V2, SHUT, preview=True)


def test_azure_refuses_it_too(azure: Azure) -> None:
    with pytest.raises(DeployError, match="ActivateServiceWithPrivateEndpointAccessNotAllowed"):
        service(azure, GatewaySku.STANDARD_V2, SHUT)


@pytest.mark.parametrize(
    ("network", "missing"),
    [
        (private(), "gateway_subnet_id"),
        (private(inbound_endpoint=InboundEndpointOptions()), "private_endpoints"),
        (private(gateway=GatewayNetwork.INTERNAL), "network_id"),
    ],
)
def test_a_service_needs_to_know_its_network(azure: Azure, network: NetworkOptions, missing: str) -> None:
    sku = GatewaySku.DEVELOPER if network.gateway else GatewaySku.STANDARD_V2
    joined = shared_network(azure, None if network.gateway else FARMS).gateway_subnet
    inputs: Any = {
        "resource_group_name": GROUP,
        "location": "swedencentral",
        "gateway": GatewayOptions(sku=sku, publisher_name="Contoso", publisher_email="ai@contoso.com"),
        "network": network,
        **({} if missing == "gateway_subnet_id" else {"gateway_subnet_id": joined}),
    }

    with pytest.raises(DeployError, match=f"needs {missing}"):
        deploy_component(exporting(lambda: ApiGateway("gateway", inputs)), azure.cloud)


def test_an_adopted_service_that_reaches_no_network_is_refused(azure: Azure) -> None:
    inputs: Any = {
        "resource_group_name": GROUP,
        "gateway": GatewayOptions(existing=ExistingResource(name=SERVICE, resource_group=GROUP)),
        "network": private(existing=ExistingNetwork(endpoint_subnet=shared_network(azure).endpoint_subnet)),
    }

    with pytest.raises(DeployError, match="service apim has joined no virtual network"):
        deploy_component(exporting(lambda: ApiGateway("gateway", inputs), "service_id"), azure.cloud)


class TestEndpoints:
    """Private endpoints of what is created in a network."""

    def deploy(self, azure: Azure, build: Any, **more: Any) -> Deployed:
        def program() -> None:
            network = PrivateNetwork("network", {"resource_group_name": GROUP, "location": "swedencentral"})
            build(endpoints_of(network, **more))

        return deploy_component(program, azure.cloud)

    def accounts(self, endpoints: PrivateEndpoints | None) -> Any:
        inputs: Any = {
            "resource_group_name": GROUP,
            "gateway_resource_group_name": GROUP,
            "service_name": SERVICE,
            "openai": OpenAIOptions(accounts=[AccountOptions(location="francecentral")]),
            "private_endpoints": endpoints,
        }
        return OpenAIBackend("openai", inputs)

    def test_an_account_is_reached_by_all_of_its_names_from_the_network_alone(self, azure: Azure) -> None:
        deployed = self.deploy(azure, self.accounts)

        account, endpoint = deployed.one("Account"), deployed.one("PrivateEndpoint")
        assert account.inputs["properties"]["publicNetworkAccess"] == "Disabled"
        assert endpoint.inputs["location"] == "swedencentral"
        connection = endpoint.inputs["privateLinkServiceConnections"][0]
        assert (connection["privateLinkServiceId"], connection["groupIds"]) == (account.id, ["account"])
        zones = deployed.one("PrivateDnsZoneGroup").inputs["privateDnsZoneConfigs"]
        assert [zone["privateDnsZoneId"].rpartition("/")[2] for zone in zones] == ZONES

    def test_a_refusal_while_the_account_is_set_up_is_waited_out(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endpoint = "azure-native:network:PrivateEndpoint"
        faults = Faults(fail={endpoint: "AccountProvisioningStateInvalid"})
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            faults.fail = {}

        monkeypatch.setattr("components._waiting.sleep", sleep)

        deployed = self.deploy(Azure(Cloud(clock=clock, faults=faults)), self.accounts)

        assert deployed.all("PrivateEndpoint") != []
        assert waits == [2]

    def test_public_access_stays_until_it_is_taken_away(self, azure: Azure) -> None:
        deployed = self.deploy(azure, self.accounts, public_access=True)

        assert deployed.one("Account").inputs["properties"]["publicNetworkAccess"] == "Enabled"
        assert deployed.all("PrivateEndpoint") != []

    def test_a_program_in_another_language_gives_them_as_a_mapping(self, azure: Azure) -> None:
        def build(endpoints: PrivateEndpoints) -> None:
            self.accounts(
                {  # type: ignore[arg-type]
                    "subnet_id": endpoints.subnet_id,
                    "location": endpoints.location,
                    "zone_ids": endpoints.zone_ids,
                }
            )

        assert self.deploy(azure, build).one("Account").inputs["properties"]["publicNetworkAccess"] == "Disabled"

    def test_a_zone_that_is_missing_is_named(self, azure: Azure) -> None:
        def program() -> None:
            place: Any = {"resource_group_name": GROUP, "location": "swedencentral", "zones": ZONES[:1]}
            self.accounts(endpoints_of(PrivateNetwork("network", place)))

        with pytest.raises(DeployError, match=f"has no zone privatelink.*; it has {ZONES[0]}; list the zone"):
            deploy_component(program, azure.cloud)

    def test_a_cache_is_connected_once_its_redis_is_reached_from_the_network(self, azure: Azure) -> None:
        def build(endpoints: PrivateEndpoints) -> None:
            inputs: Any = {
                "resource_group_name": GROUP,
                "gateway_resource_group_name": GROUP,
                "service_name": SERVICE,
                "private_endpoints": endpoints,
            }
            SemanticCache("semantic-cache", inputs)

        deployed = self.deploy(azure, build)

        assert deployed.one("RedisEnterprise").inputs["publicNetworkAccess"] == "Disabled"
        assert deployed.one("PrivateEndpoint").inputs["privateLinkServiceConnections"][0]["groupIds"] == [
            "redisEnterprise"
        ]
        assert deployed.one("PrivateDnsZoneGroup").name in deployed.waits_for(deployed.one("Cache"))

    def test_content_safety_has_one_of_its_own(self, azure: Azure) -> None:
        def build(endpoints: PrivateEndpoints) -> None:
            inputs: Any = {
                "resource_group_name": GROUP,
                "gateway_resource_group_name": GROUP,
                "service_name": SERVICE,
                "principal_id": azure.principal_id,
                "private_endpoints": endpoints,
            }
            ContentSafety("content-safety", inputs)

        deployed = self.deploy(azure, build)

        assert deployed.one("Account").inputs["properties"]["publicNetworkAccess"] == "Disabled"
        assert len(deployed.one("PrivateDnsZoneGroup").inputs["privateDnsZoneConfigs"]) == 1

    def test_the_vault_of_a_team_has_one_of_its_own(self, azure: Azure) -> None:
        api = azure.api_args(azure.account("oai"))

        def build(endpoints: PrivateEndpoints) -> None:
            inputs: Any = {
                "resource_group_name": GROUP,
                "service_name": SERVICE,
                "sku": "StandardV2",
                "apis": [TeamApi(name="openai", id=ManagedIdentityApi("openai", api).api_id)],
                "keys": TeamKeysOptions(vault=True),
                "private_endpoints": endpoints,
            }
            Team("research", inputs)

        deployed = self.deploy(azure, build)

        assert deployed.one("Vault").inputs["properties"]["publicNetworkAccess"] == "disabled"
        assert deployed.one("PrivateEndpoint").inputs["privateLinkServiceConnections"][0]["groupIds"] == ["vault"]
        assert len(deployed.all("Secret")) > 0
