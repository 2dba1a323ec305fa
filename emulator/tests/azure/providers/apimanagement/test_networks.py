from typing import Any

import pytest

from apim_emulator.azure import CloudError
from apim_emulator.model import Reach
from emulator.tests.azure.azure import Azure

FARMS = "Microsoft.Web/serverFarms"
ENVIRONMENTS = "Microsoft.Web/hostingEnvironments"


def service(azure: Azure, sku: str, kind: str, subnet_id: str | None, **more: Any) -> str:
    place = {} if subnet_id is None else {"virtualNetworkConfiguration": {"subnetResourceId": subnet_id}}
    return azure.service(sku={"name": sku, "capacity": 1}, virtualNetworkType=kind, **place, **more)[0]


@pytest.mark.parametrize(
    ("sku", "kind"),
    [("Basic", "External"), ("Standard", "External"), ("BasicV2", "External"), ("StandardV2", "Internal")],
)
def test_networks_are_for_the_tiers_that_have_them(azure: Azure, sku: str, kind: str) -> None:
    with pytest.raises(CloudError, match=f"'{kind}' {kind} Virtual Network Type is not supported for Sku Type '{sku}'"):
        service(azure, sku, kind, azure.gateway_subnet())


@pytest.mark.parametrize(
    ("sku", "kind", "delegation"),
    [
        ("Developer", "External", ""),
        ("Premium", "Internal", ""),
        ("StandardV2", "External", FARMS),
        ("PremiumV2", "External", FARMS),
        ("PremiumV2", "Internal", ENVIRONMENTS),
    ],
)
def test_a_tier_joins_a_subnet_that_is_delegated_as_it_needs(
    azure: Azure, sku: str, kind: str, delegation: str
) -> None:
    service(azure, sku, kind, azure.gateway_subnet(delegation))


@pytest.mark.parametrize(
    ("sku", "kind", "delegation", "message"),
    [
        ("Developer", "External", FARMS, "should not have any delegations"),
        ("StandardV2", "External", "", f"requires subnet to be delegated to {FARMS}"),
        ("StandardV2", "External", ENVIRONMENTS, f"requires subnet to be delegated to {FARMS}"),
        ("PremiumV2", "Internal", FARMS, f"requires subnet to be delegated to {ENVIRONMENTS}"),
    ],
)
def test_another_delegation_is_refused(azure: Azure, sku: str, kind: str, delegation: str, message: str) -> None:
    with pytest.raises(CloudError, match=f"VirtualNetworkSubnetHasIncorrectDelegation.*{message}"):
        service(azure, sku, kind, azure.gateway_subnet(delegation))


@pytest.mark.parametrize(("sku", "delegation", "prefix"), [("StandardV2", FARMS, 28), ("Developer", "", 30)])
def test_a_subnet_has_enough_addresses(azure: Azure, sku: str, delegation: str, prefix: int) -> None:
    with pytest.raises(CloudError, match="is too small"):
        service(azure, sku, "External", azure.gateway_subnet(delegation, f"10.0.0.0/{prefix}"))


def test_a_subnet_needs_a_security_group(azure: Azure) -> None:
    azure.network()
    subnet_id, _ = azure.subnet(delegation=FARMS)

    with pytest.raises(CloudError, match="needs a network security group"):
        service(azure, "StandardV2", "External", subnet_id)


def test_the_network_is_in_the_service_s_region(azure: Azure) -> None:
    with pytest.raises(CloudError, match="must be in the service's region westeurope"):
        service(azure, "Developer", "External", azure.gateway_subnet(), location="westeurope")


def test_each_additional_location_needs_a_network_too(azure: Azure) -> None:
    locations = [{"location": "westeurope", "sku": {"name": "Premium", "capacity": 1}}]

    with pytest.raises(CloudError, match="contradict each other"):
        service(azure, "Premium", "External", azure.gateway_subnet(), additionalLocations=locations)


def test_a_subnet_of_a_v2_tier_is_for_one_service(azure: Azure) -> None:
    subnet_id = azure.gateway_subnet(FARMS)
    service(azure, "StandardV2", "External", subnet_id)

    with pytest.raises(CloudError, match="is used by"):
        service(azure, "StandardV2", "External", subnet_id, serviceName="second")


def test_a_service_of_a_v2_tier_is_injected_when_it_is_created_or_never(azure: Azure) -> None:
    subnet_id = azure.gateway_subnet(ENVIRONMENTS)
    service_id = service(azure, "PremiumV2", "None", None)

    with pytest.raises(CloudError, match="from 'None' to 'Internal' is not supported"):
        azure.change(
            "apimanagement:ApiManagementService",
            service_id,
            virtualNetworkType="Internal",
            virtualNetworkConfiguration={"subnetResourceId": subnet_id},
        )


def test_public_access_ends_only_once_an_endpoint_leads_to_the_service(azure: Azure) -> None:
    with pytest.raises(CloudError, match="ActivateServiceWithPrivateEndpointAccessNotAllowed"):
        service(azure, "StandardV2", "None", None, publicNetworkAccess="Disabled")
    service_id = service(azure, "StandardV2", "None", None)
    with pytest.raises(CloudError, match="DisablingPublicNetworkAccessRequiredPrivateEndpoint"):
        azure.change("apimanagement:ApiManagementService", service_id, publicNetworkAccess="Disabled")

    azure.network()
    azure.endpoint(service_id, "Gateway", azure.subnet()[0])
    azure.change("apimanagement:ApiManagementService", service_id, publicNetworkAccess="Disabled")

    assert azure.cloud.gateways()[0].from_internet is Reach.FORBIDDEN


class TestWhoReachesWhom:
    def integrated(self, azure: Azure) -> str:
        return service(azure, "StandardV2", "External", azure.gateway_subnet(FARMS))

    def private(self, azure: Azure, target_id: str, group: str, zone: str) -> None:
        endpoint_id, _ = azure.endpoint(target_id, group, azure.subnet()[0])
        zone_id, _ = azure.zone(zone)
        azure.zone_link(zone, f"{azure.group_id()}/providers/Microsoft.Network/virtualNetworks/vnet")
        azure.zone_group(endpoint_id, zone_id)

    def test_a_gateway_in_the_network_finds_an_account_s_endpoint(self, azure: Azure) -> None:
        self.integrated(azure)
        self.private(azure, azure.account()[0], "account", "privatelink.openai.azure.com")

        assert azure.cloud.gateways()[0].private_hosts == {"oai.openai.azure.com"}

    def test_a_gateway_in_no_network_finds_none(self, azure: Azure) -> None:
        azure.network()
        azure.service()
        self.private(azure, azure.account()[0], "account", "privatelink.openai.azure.com")

        assert azure.cloud.gateways()[0].private_hosts == set()

    def test_a_zone_that_is_not_linked_resolves_nothing(self, azure: Azure) -> None:
        self.integrated(azure)
        endpoint_id, _ = azure.endpoint(azure.account()[0], "account", azure.subnet()[0])
        azure.zone_group(endpoint_id, azure.zone("privatelink.openai.azure.com")[0])

        assert azure.cloud.gateways()[0].private_hosts == set()

    def test_an_endpoint_without_a_record_is_not_found(self, azure: Azure) -> None:
        self.integrated(azure)
        azure.endpoint(azure.account()[0], "account", azure.subnet()[0])

        assert azure.cloud.gateways()[0].private_hosts == set()

    def test_a_private_vault_is_read_through_its_endpoint_alone(self, azure: Azure) -> None:
        self.integrated(azure)
        principal_id = azure.cloud.gateways()[0].identities[0].principal_id
        vault_id, _ = azure.vault(publicNetworkAccess="Disabled")
        secret_id, secret = azure.secret()
        azure.role(principal_id, secret_id, "4633458b-17de-408a-b874-0445c86b69e6")
        reference = {"secretIdentifier": secret["properties"]["secretUri"]}

        with pytest.raises(CloudError, match="ForbiddenByConnection"):
            azure.named_value(keyVault=reference, secret=True)
        self.private(azure, vault_id, "vault", "privatelink.vaultcore.azure.net")
        azure.named_value(keyVault=reference, secret=True)

        assert azure.cloud.gateways()[0].named_values == {"openai-api-key": "s3cr3t"}

    def test_a_private_vault_is_read_by_the_system_assigned_identity_alone(self, azure: Azure) -> None:
        identity_id, identity = azure.identity()
        service(
            azure,
            "StandardV2",
            "External",
            azure.gateway_subnet(FARMS),
            identity={"type": "UserAssigned", "userAssignedIdentities": {identity_id: {}}},
        )
        vault_id, _ = azure.vault(publicNetworkAccess="Disabled")
        secret_id, secret = azure.secret()
        azure.role(identity["principalId"], secret_id, "4633458b-17de-408a-b874-0445c86b69e6")
        self.private(azure, vault_id, "vault", "privatelink.vaultcore.azure.net")

        with pytest.raises(CloudError, match="use the system-assigned managed identity"):
            azure.named_value(
                keyVault={
                    "secretIdentifier": secret["properties"]["secretUri"],
                    "identityClientId": identity["clientId"],
                },
                secret=True,
            )

    def test_a_deployer_outside_writes_a_secret_of_a_private_vault_and_deletes_none(self, azure: Azure) -> None:
        azure.vault(publicNetworkAccess="Disabled")
        secret_id, _ = azure.secret()
        officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
        azure.role(azure.cloud.deployer_object_id, secret_id, officer, principalType="User")

        with pytest.raises(CloudError, match="ForbiddenByConnection"):
            azure.cloud.delete(secret_id)

    def test_an_injected_gateway_is_found_by_a_record_in_its_network(self, azure: Azure) -> None:
        service(azure, "Developer", "Internal", azure.gateway_subnet())
        found = azure.cloud.gateways()[0]
        assert (found.from_internet, found.from_network) == (Reach.UNREACHABLE, Reach.UNREACHABLE)

        address = azure.cloud.read("azure-native:apimanagement:ApiManagementService", azure.service_id())
        azure.zone("apim.azure-api.net")
        azure.zone_link("apim.azure-api.net", f"{azure.group_id()}/providers/Microsoft.Network/virtualNetworks/vnet")
        azure.create(
            "privatedns:PrivateRecordSet",
            resourceGroupName="rg",
            privateZoneName="apim.azure-api.net",
            relativeRecordSetName="@",
            recordType="A",
            aRecords=[{"ipv4Address": address["privateIPAddresses"][0]}],
        )

        assert azure.cloud.gateways()[0].from_network is Reach.ANSWERED

    def test_a_gateway_without_public_access_is_found_by_its_endpoint(self, azure: Azure) -> None:
        service_id = self.integrated(azure)
        self.private(azure, service_id, "Gateway", "privatelink.azure-api.net")
        azure.change("apimanagement:ApiManagementService", service_id, publicNetworkAccess="Disabled")

        found = azure.cloud.gateways()[0]
        assert (found.from_internet, found.from_network) == (Reach.FORBIDDEN, Reach.ANSWERED)

    def test_a_private_redis_is_searched_through_its_endpoint_alone(self, azure: Azure) -> None:
        self.integrated(azure)
        cluster_id, _ = azure.redis(publicNetworkAccess="Disabled")
        azure.database()
        names = {"resourceGroupName": "rg", "clusterName": "redis-contoso", "databaseName": "default"}
        key = azure.cloud.invoke("azure-native:redisenterprise:listDatabaseKeys", names)["primaryKey"]
        connection = f"redis-contoso.swedencentral.redis.azure.net:10000,password={key},ssl=True"
        azure.apim("Cache", cacheId="default", useFromLocation="default", connectionString=connection)

        assert not azure.cloud.gateways()[0].semantic_cache
        self.private(azure, cluster_id, "redisEnterprise", "privatelink.redis.azure.net")
        assert azure.cloud.gateways()[0].semantic_cache
