"""The virtual network of a deployment: created with its DNS zones, or adopted."""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import network, privatedns

from components._arm import network_of, subnet_of
from components._endpoints import ZONES
from components._inputs import read_options
from components._security_rules import injection_rules
from components._subscriptions import invoke_options
from options import ExistingNetwork, GatewayNetwork, GatewaySku, NetworkMode, NetworkOptions
from options.network import DEFAULT_SPACE, gateway_network

_DELEGATIONS = {
    GatewayNetwork.INTEGRATION: "Microsoft.Web/serverFarms",
    GatewayNetwork.INTERNAL: "Microsoft.Web/hostingEnvironments",
}
"""Service that the subnet of a service of a v2 tier is delegated to; that of a classic tier is to none."""


class PrivateNetworkArgs(TypedDict):
    """Inputs of `PrivateNetwork`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the resources that are created."""
    location: NotRequired[pulumi.Input[str]]
    """Azure region of the network that is created, which is the region of the API Management service. Defaults to the
    region in the provider's configuration."""
    network: NotRequired[NetworkOptions]
    """The network to create or adopt; its `mode` is `private`. By default one is created."""
    sku: NotRequired[GatewaySku]
    """Pricing tier of the API Management service that joins the network. By default none joins it."""
    zones: NotRequired[list[str]]
    """Private DNS zones to create, link to the network or adopt. Defaults to those of Azure OpenAI, Azure AI Content
    Safety, Key Vault, Azure Managed Redis and API Management."""
    further_subnet_ids: NotRequired[list[str]]
    """Resource IDs of subnets in other networks that find the private endpoints by name, such as those of a service's
    additional locations. Defaults to none."""


class PrivateNetwork(pulumi.ComponentResource):
    """A virtual network for private endpoints, and for an API Management service that reaches them."""

    network_id: pulumi.Output[str]
    """Resource ID of the network."""
    location: pulumi.Output[str]
    """Azure region of the network."""
    gateway_subnet_id: pulumi.Output[str] | None
    """Resource ID of the subnet for the API Management service. Absent if none joins the network."""
    endpoint_subnet_id: pulumi.Output[str]
    """Resource ID of the subnet for private endpoints."""
    zone_ids: pulumi.Output[dict[str, str]]
    """Resource IDs of the private DNS zones, by name; known once the network resolves their names."""

    def __init__(self, name: str, args: PrivateNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:PrivateNetwork", name, {}, opts)
        given = args.get("network") or NetworkOptions(mode=NetworkMode.PRIVATE)
        options = read_options(NetworkOptions, given, "network")
        if options.mode is not NetworkMode.PRIVATE:
            raise pulumi.RunError("network.mode: is public, which needs no network; set it to private")
        sku = args.get("sku")
        way = None if sku is None else gateway_network(options, sku)
        delegation = _DELEGATIONS.get(way) if way and sku and sku.family == "v2" else None

        if options.existing is None:
            self._create(name, args, options, way, delegation)
        else:
            self._adopt(options.existing, delegation)
        zones = args.get("zones") or list(ZONES)
        self.zone_ids = (
            self._create_zones(name, args, zones)
            if options.dns_zones is None
            else self._adopt_zones(options.dns_zones.resource_group, options.dns_zones.subscription_id, zones)
        )
        self.register_outputs(
            {
                "networkId": self.network_id,
                "location": self.location,
                "gatewaySubnetId": self.gateway_subnet_id,
                "endpointSubnetId": self.endpoint_subnet_id,
                "zoneIds": self.zone_ids,
            }
        )

    def _create(
        self,
        name: str,
        args: PrivateNetworkArgs,
        options: NetworkOptions,
        way: GatewayNetwork | None,
        delegation: str | None,
    ) -> None:
        """Create the network with its subnets as resources of their own, one after the other.

        A network that lists its subnets deletes those that it leaves out (pulumi-azure-native #74), and it refuses a
        change while another is in progress.
        """
        group, child = args["resource_group_name"], pulumi.ResourceOptions(parent=self)
        halves = IPv4Network(options.address_space or DEFAULT_SPACE).subnets()
        whole = network.VirtualNetwork(
            f"{name}-network",
            resource_group_name=group,
            location=args.get("location"),
            address_space={"address_prefixes": [options.address_space or DEFAULT_SPACE]},
            opts=child,
        )
        before: list[pulumi.Resource] = []
        self.gateway_subnet_id = None
        first = str(next(halves))
        if way is not None:
            rules = network.NetworkSecurityGroup(
                f"{name}-gateway-rules",
                resource_group_name=group,
                location=args.get("location"),
                security_rules=[] if delegation else injection_rules(way),
                opts=child,
            )
            gateway = network.Subnet(
                f"{name}-gateway",
                subnet_name="gateway",
                virtual_network_name=whole.name,
                resource_group_name=group,
                address_prefix=first,
                network_security_group={"id": rules.id},
                delegations=[{"name": "gateway", "service_name": delegation}] if delegation else None,
                opts=child,
            )
            before.append(gateway)
            self.gateway_subnet_id = gateway.id
        endpoints = network.Subnet(
            f"{name}-endpoints",
            subnet_name="endpoints",
            virtual_network_name=whole.name,
            resource_group_name=group,
            address_prefix=str(next(halves)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )
        self.network_id, self.endpoint_subnet_id = whole.id, endpoints.id
        self.location = whole.location.apply(str)

    def _adopt(self, existing: ExistingNetwork, delegation: str | None) -> None:
        """Look up the network and its subnets, and refuse those that Azure would refuse later."""
        place = network_of(existing.endpoint_subnet)
        found = network.get_virtual_network_output(
            virtual_network_name=place.name,
            resource_group_name=place.resource_group,
            opts=invoke_options(self, place.subscription_id),
        )
        self.network_id = found.id.apply(str)
        self.location = found.location.apply(str)
        self.endpoint_subnet_id = self._subnet(existing.endpoint_subnet, ())
        self.gateway_subnet_id = None
        if existing.gateway_subnet is not None:
            wanted = () if delegation is None else (delegation,)
            self.gateway_subnet_id = self._subnet(existing.gateway_subnet, wanted, rules=True)

    def _subnet(self, subnet_id: str, delegations: Sequence[str], *, rules: bool = False) -> pulumi.Output[str]:
        """Look up a subnet that must be delegated to these services and to no other."""
        place = subnet_of(subnet_id)
        found: pulumi.Output[network.GetSubnetResult] = network.get_subnet_output(
            subnet_name=place.name,
            virtual_network_name=place.network,
            resource_group_name=place.resource_group,
            opts=invoke_options(self, place.subscription_id),
        )

        def checked(subnet: "network.GetSubnetResult") -> str:
            given = [str(entry.service_name) for entry in subnet.delegations or []]
            if [one.lower() for one in given] != [one.lower() for one in delegations]:
                raise pulumi.RunError(
                    f"subnet {subnet_id} is delegated to {', '.join(given) or 'nothing'}, and must be delegated to "
                    f"{', '.join(delegations) or 'nothing'}; change its delegation, or name another subnet"
                )
            if rules and subnet.network_security_group is None:
                raise pulumi.RunError(
                    f"subnet {subnet_id} has no network security group, which API Management needs; associate one with "
                    "it, or name another subnet"
                )
            return str(subnet.id)

        return found.apply(checked)

    def _create_zones(self, name: str, args: PrivateNetworkArgs, zones: Sequence[str]) -> pulumi.Output[dict[str, str]]:
        further = list(dict.fromkeys(network_of(subnet).id.lower() for subnet in args.get("further_subnet_ids") or []))
        networks: dict[str, pulumi.Input[str]] = {"": self.network_id}
        networks |= {f"-{number}": network_id for number, network_id in enumerate(further, 1)}
        created: dict[str, pulumi.Output[str]] = {}
        for zone in zones:
            resource = privatedns.PrivateZone(
                f"{name}-{zone}",
                private_zone_name=zone,
                resource_group_name=args["resource_group_name"],
                location="global",
                opts=pulumi.ResourceOptions(parent=self),
            )
            links = [
                privatedns.VirtualNetworkLink(
                    f"{name}-{zone}{suffix}",
                    virtual_network_link_name=f"{name}{suffix}",
                    private_zone_name=resource.name,
                    resource_group_name=args["resource_group_name"],
                    location="global",
                    registration_enabled=False,
                    virtual_network={"id": network_id},
                    opts=pulumi.ResourceOptions(parent=self),
                ).id
                for suffix, network_id in networks.items()
            ]
            created[zone] = pulumi.Output.all(resource.id, *links).apply(lambda known: str(known[0]))
        return pulumi.Output.all(**created).apply(dict)

    def _adopt_zones(
        self, resource_group: str, subscription_id: str | None, zones: Sequence[str]
    ) -> pulumi.Output[dict[str, str]]:
        opts = invoke_options(self, subscription_id)
        found = {
            zone: privatedns.get_private_zone_output(
                private_zone_name=zone, resource_group_name=resource_group, opts=opts
            ).id
            for zone in zones
        }
        return pulumi.Output.all(**found).apply(dict)
