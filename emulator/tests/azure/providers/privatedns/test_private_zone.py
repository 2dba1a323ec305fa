import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

ZONE = "privatelink.openai.azure.com"


def test_a_zone_is_in_no_region(azure: Azure) -> None:
    with pytest.raises(CloudError, match="LocationNotAvailableForResourceType"):
        azure.create("privatedns:PrivateZone", resourceGroupName="rg", privateZoneName=ZONE)


def test_a_link_is_in_no_region(azure: Azure) -> None:
    network_id, _ = azure.network()
    azure.zone(ZONE)

    with pytest.raises(CloudError, match="LocationNotAvailableForResourceType"):
        azure.zone_link(ZONE, network_id, location="swedencentral")


def test_a_network_is_linked_to_one_zone_of_a_name(azure: Azure) -> None:
    network_id, _ = azure.network()
    azure.zone(ZONE)
    azure.zone_link(ZONE, network_id)
    azure.create("resources:ResourceGroup", resourceGroupName="other", location="swedencentral")
    other = {"resourceGroupName": "other", "privateZoneName": ZONE, "location": "global"}
    azure.create("privatedns:PrivateZone", **other)

    with pytest.raises(CloudError, match="linked to multiple zones with overlapping namespaces"):
        azure.zone_link(ZONE, network_id, resourceGroupName="other")


def test_a_link_leads_to_a_network(azure: Azure) -> None:
    azure.zone(ZONE)

    with pytest.raises(CloudError, match="is no virtual network"):
        azure.zone_link(ZONE, azure.group_id())


def test_a_zone_goes_only_once_its_links_are_gone(azure: Azure) -> None:
    network_id, _ = azure.network()
    zone_id, _ = azure.zone(ZONE)
    link_id, _ = azure.zone_link(ZONE, network_id)

    with pytest.raises(CloudError, match="CannotDeleteResource"):
        azure.cloud.delete(zone_id)
    azure.cloud.delete(link_id)
    azure.cloud.delete(zone_id)


def test_a_record_has_addresses(azure: Azure) -> None:
    azure.zone("apim.azure-api.net")
    record = {
        "resourceGroupName": "rg",
        "privateZoneName": "apim.azure-api.net",
        "relativeRecordSetName": "@",
        "recordType": "A",
        "ttl": 300,
    }

    _, outputs = azure.create("privatedns:PrivateRecordSet", **record, aRecords=[{"ipv4Address": "10.0.0.4"}])

    assert outputs["fqdn"] == "apim.azure-api.net."
    with pytest.raises(CloudError, match="is no IPv4 address"):
        azure.create(
            "privatedns:PrivateRecordSet",
            **record | {"relativeRecordSetName": "www"},
            aRecords=[{"ipv4Address": "somewhere"}],
        )
