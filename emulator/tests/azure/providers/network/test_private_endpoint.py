from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


def service_in(azure: Azure, sku: str, **inputs: Any) -> str:
    return azure.service(sku={"name": sku, "capacity": 1}, **inputs)[0]


@pytest.fixture
def subnet_id(azure: Azure) -> str:
    azure.network()
    return azure.subnet()[0]


def test_an_endpoint_gives_every_name_of_an_account_an_address_in_the_subnet(azure: Azure, subnet_id: str) -> None:
    _, outputs = azure.endpoint(azure.account()[0], "account", subnet_id)

    domains = ("cognitiveservices.azure.com", "openai.azure.com", "services.ai.azure.com")
    assert outputs["customDnsConfigs"] == [{"fqdn": f"oai.{domain}", "ipAddresses": ["10.0.1.4"]} for domain in domains]
    state = outputs["privateLinkServiceConnections"][0]["privateLinkServiceConnectionState"]
    assert state["status"] == "Approved"


def test_each_endpoint_has_its_own_address(azure: Azure, subnet_id: str) -> None:
    azure.endpoint(azure.account()[0], "account", subnet_id)
    _, outputs = azure.endpoint(azure.vault()[0], "vault", subnet_id)

    assert outputs["customDnsConfigs"] == [{"fqdn": "kv-contoso.vault.azure.net", "ipAddresses": ["10.0.1.5"]}]


@pytest.mark.parametrize("group", ["vault", "Account", "gateway"])
def test_the_group_is_that_of_the_resource(azure: Azure, subnet_id: str, group: str) -> None:
    with pytest.raises(CloudError, match="has the group account"):
        azure.endpoint(azure.account()[0], group, subnet_id)


def test_an_account_needs_a_custom_subdomain(azure: Azure, subnet_id: str) -> None:
    account_id, _ = azure.account(customSubDomainName=None)

    with pytest.raises(CloudError, match="no custom subdomain"):
        azure.endpoint(account_id, "account", subnet_id)


def test_the_resource_must_exist(azure: Azure, subnet_id: str) -> None:
    with pytest.raises(CloudError, match="InvalidResourceReference"):
        azure.endpoint(f"{azure.group_id()}/providers/Microsoft.KeyVault/vaults/none", "vault", subnet_id)


def test_an_endpoint_is_in_the_region_of_its_network(azure: Azure, subnet_id: str) -> None:
    with pytest.raises(CloudError, match="must be in the same region"):
        azure.endpoint(azure.account()[0], "account", subnet_id, location="westeurope")


def test_a_delegated_subnet_is_not_shared_with_endpoints(azure: Azure) -> None:
    subnet_id = azure.gateway_subnet("Microsoft.Web/serverFarms")

    with pytest.raises(CloudError, match="PrivateEndpointCannotBeCreatedInDelegatedSubnet"):
        azure.endpoint(azure.account()[0], "account", subnet_id)


@pytest.mark.parametrize("sku", ["Developer", "Basic", "Standard", "Premium", "StandardV2", "PremiumV2"])
def test_a_tier_with_endpoints_takes_one(azure: Azure, subnet_id: str, sku: str) -> None:
    _, outputs = azure.endpoint(service_in(azure, sku), "Gateway", subnet_id)

    assert [found["fqdn"] for found in outputs["customDnsConfigs"]] == ["apim.azure-api.net"]


def test_basic_v2_takes_no_endpoint(azure: Azure, subnet_id: str) -> None:
    with pytest.raises(CloudError, match="PrivateEndpointNotSupportedInServiceSku"):
        azure.endpoint(service_in(azure, "BasicV2"), "Gateway", subnet_id)


def test_the_group_of_a_gateway_is_compared_by_case(azure: Azure, subnet_id: str) -> None:
    with pytest.raises(CloudError, match=r"groupId\(s\) gateway is not supported"):
        azure.endpoint(service_in(azure, "StandardV2"), "gateway", subnet_id)


def test_an_injected_service_takes_no_endpoint(azure: Azure) -> None:
    gateway_subnet = azure.gateway_subnet()
    subnet_id, _ = azure.subnet()
    service_id = service_in(
        azure,
        "Developer",
        virtualNetworkType="External",
        virtualNetworkConfiguration={"subnetResourceId": gateway_subnet},
    )

    with pytest.raises(CloudError, match="set up in Virtual Network Type: External"):
        azure.endpoint(service_id, "Gateway", subnet_id)


def test_an_endpoint_has_one_zone_group(azure: Azure, subnet_id: str) -> None:
    endpoint_id, _ = azure.endpoint(azure.vault()[0], "vault", subnet_id)
    zone_id, _ = azure.zone("privatelink.vaultcore.azure.net")
    azure.zone_group(endpoint_id, zone_id)

    with pytest.raises(CloudError, match="MoreThanOnePrivateDnsZoneGroup"):
        azure.create(
            "network:PrivateDnsZoneGroup",
            resourceGroupName="rg",
            privateEndpointName=endpoint_id.rpartition("/")[2],
            privateDnsZoneGroupName="second",
        )


def test_a_zone_group_names_zones_that_exist(azure: Azure, subnet_id: str) -> None:
    endpoint_id, _ = azure.endpoint(azure.vault()[0], "vault", subnet_id)

    with pytest.raises(CloudError, match="InvalidResourceReference"):
        azure.zone_group(endpoint_id, f"{azure.group_id()}/providers/Microsoft.Network/privateDnsZones/none")
