import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        pytest.param([], "needs at least one range", id="none"),
        pytest.param(["10.0.0.0"], None, id="one-address"),
        pytest.param(["10.0.0.1/16"], "not formatted correctly", id="not-the-first-address"),
        pytest.param(["ten"], "not formatted correctly", id="text"),
        pytest.param(["10.0.0.0/16", "10.0.1.0/24"], "overlap", id="twice"),
    ],
)
def test_a_network_has_ranges_of_its_own(azure: Azure, prefixes: list[str], message: str | None) -> None:
    if message is None:
        azure.network(addressSpace={"addressPrefixes": prefixes})
        return
    with pytest.raises(CloudError, match=message):
        azure.network(addressSpace={"addressPrefixes": prefixes})


def test_a_network_without_a_list_keeps_the_subnets_that_others_made(azure: Azure) -> None:
    network_id, _ = azure.network()
    subnet_id, _ = azure.subnet()

    azure.change("network:VirtualNetwork", network_id, tags={"team": "a"})

    assert azure.cloud.read("azure-native:network:Subnet", subnet_id)["addressPrefix"] == "10.0.1.0/24"


def test_a_list_of_subnets_leaves_no_other(azure: Azure) -> None:
    network_id, _ = azure.network()
    subnet_id, _ = azure.subnet()

    azure.change("network:VirtualNetwork", network_id, subnets=[{"name": "own", "addressPrefix": "10.0.7.0/24"}])

    azure.cloud.read("azure-native:network:Subnet", f"{network_id}/subnets/own")
    with pytest.raises(CloudError, match="was not found"):
        azure.cloud.read("azure-native:network:Subnet", subnet_id)


def test_a_list_of_subnets_cannot_leave_out_one_that_is_used(azure: Azure) -> None:
    network_id, _ = azure.network()
    azure.endpoint(azure.account()[0], "account", azure.subnet()[0])

    with pytest.raises(CloudError, match="InUseSubnetCannotBeDeleted"):
        azure.change("network:VirtualNetwork", network_id, subnets=[])


def test_the_addresses_of_a_subnet_stay_with_the_network(azure: Azure) -> None:
    network_id, _ = azure.network()
    azure.subnet()

    with pytest.raises(CloudError, match="InUsePrefixCannotBeDeleted"):
        azure.change("network:VirtualNetwork", network_id, addressSpace={"addressPrefixes": ["10.1.0.0/16"]})


def test_a_network_goes_only_once_its_subnets_are_free(azure: Azure) -> None:
    network_id, _ = azure.network()
    endpoint_id, _ = azure.endpoint(azure.account()[0], "account", azure.subnet()[0])

    with pytest.raises(CloudError, match="InUseSubnetCannotBeDeleted"):
        azure.cloud.delete(network_id)
    azure.cloud.delete(endpoint_id)
    azure.cloud.delete(network_id)
