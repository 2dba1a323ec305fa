from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

FARMS = "Microsoft.Web/serverFarms"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        pytest.param("10.0.1.0/25", "NetcfgSubnetRangesOverlap", id="over-another"),
        pytest.param("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet", id="outside"),
        pytest.param("10.0.2.1/24", "InvalidAddressPrefixFormat", id="not-the-first-address"),
    ],
)
def test_a_subnet_has_a_range_of_its_own_in_the_network(azure: Azure, prefix: str, code: str) -> None:
    azure.network()
    azure.subnet()

    with pytest.raises(CloudError, match=code):
        azure.subnet("second", prefix)


def test_a_security_group_must_exist(azure: Azure) -> None:
    azure.network()

    with pytest.raises(CloudError, match="InvalidResourceReference"):
        azure.subnet(
            networkSecurityGroup={"id": f"{azure.group_id()}/providers/Microsoft.Network/networkSecurityGroups/x"}
        )


def test_a_subnet_goes_only_once_nothing_uses_it(azure: Azure) -> None:
    azure.network()
    subnet_id, _ = azure.subnet()
    endpoint_id, _ = azure.endpoint(azure.account()[0], "account", subnet_id)

    with pytest.raises(CloudError, match=f"InUseSubnetCannotBeDeleted.*in use by {endpoint_id}"):
        azure.cloud.delete(subnet_id)
    azure.cloud.delete(endpoint_id)
    azure.cloud.delete(subnet_id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"delegations": []}, "SubnetMissingRequiredDelegation"),
        ({"addressPrefix": "10.0.9.0/24"}, "InUsePrefixCannotBeDeleted"),
    ],
)
def test_what_a_service_relies_on_stays(azure: Azure, change: dict[str, Any], code: str) -> None:
    subnet_id = azure.gateway_subnet(FARMS)
    azure.service(
        sku={"name": "StandardV2", "capacity": 1},
        virtualNetworkType="External",
        virtualNetworkConfiguration={"subnetResourceId": subnet_id},
    )

    with pytest.raises(CloudError, match=code):
        azure.change("network:Subnet", subnet_id, **change)


RULE = {
    "name": "clients",
    "access": "Allow",
    "direction": "Inbound",
    "protocol": "Tcp",
    "priority": 100,
    "sourceAddressPrefix": "Internet",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "VirtualNetwork",
    "destinationPortRange": "443",
}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param([RULE, RULE | {"name": "other"}], "same Priority and Direction", id="same-priority"),
        pytest.param([RULE | {"priority": 99}], "from 100 to 4096", id="priority"),
        pytest.param([RULE | {"destinationPortRange": None}], "destinationPortRange is missing", id="no-port"),
    ],
)
def test_security_rules_are_checked(azure: Azure, rules: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        azure.security_group(securityRules=rules)


def test_rules_of_both_directions_may_share_a_priority(azure: Azure) -> None:
    azure.security_group(securityRules=[RULE, RULE | {"name": "out", "direction": "Outbound"}])


def test_a_security_group_goes_only_once_no_subnet_has_it(azure: Azure) -> None:
    subnet_id = azure.gateway_subnet()
    group_id = f"{azure.group_id()}/providers/Microsoft.Network/networkSecurityGroups/nsg"

    with pytest.raises(CloudError, match="InUseNetworkSecurityGroupCannotBeDeleted"):
        azure.cloud.delete(group_id)
    azure.cloud.delete(subnet_id)
    azure.cloud.delete(group_id)
