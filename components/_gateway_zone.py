"""The DNS zone with which callers in a virtual network find a service that is injected into it."""

import pulumi
from pulumi_azure_native import apimanagement, privatedns

_SECONDS = 300


def create_gateway_zone(
    name: str,
    service: apimanagement.ApiManagementService,
    network_id: pulumi.Input[str],
    resource_group_name: pulumi.Input[str],
    *,
    parent: pulumi.Resource,
) -> None:
    """Create the zone of the service's own name, with the service's private address, and link it to the network.

    The service's name is not in public DNS ("Deploy your Azure API Management instance to a virtual network - internal
    mode"). A zone for all of `azure-api.net` would hide the other services from the network. If Azure reports no
    address for the service's tier, the record has none, and somebody must add it.
    """
    child = pulumi.ResourceOptions(parent=parent)
    zone = privatedns.PrivateZone(
        f"{name}-zone",
        private_zone_name=pulumi.Output.concat(service.name, ".azure-api.net"),
        resource_group_name=resource_group_name,
        location="global",
        opts=child,
    )
    privatedns.VirtualNetworkLink(
        f"{name}-zone-link",
        virtual_network_link_name=name,
        private_zone_name=zone.name,
        resource_group_name=resource_group_name,
        location="global",
        registration_enabled=False,
        virtual_network={"id": network_id},
        opts=child,
    )
    privatedns.PrivateRecordSet(
        f"{name}-record",
        private_zone_name=zone.name,
        relative_record_set_name="@",
        record_type="A",
        resource_group_name=resource_group_name,
        ttl=_SECONDS,
        a_records=service.private_ip_addresses.apply(
            lambda addresses: [{"ipv4_address": address} for address in addresses or []]
        ),
        opts=child,
    )
