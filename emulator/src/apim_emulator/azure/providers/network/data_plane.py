"""Who reaches whom: what names resolve to, seen from a virtual network."""

from collections.abc import Iterator

from apim_emulator.azure.providers.network import ZONE_GROUP
from apim_emulator.azure.providers.network.addresses import network_of, subnets_of_service
from apim_emulator.azure.providers.network.names import hosts, zone_of
from apim_emulator.azure.providers.privatedns import PRIVATE_ZONE, RECORD_SET, ZONE_LINK
from apim_emulator.azure.state import Resource, State


def network_of_service(service: Resource) -> str | None:
    """ID of the virtual network in which a service calls, None where it calls over the internet."""
    return next((network_of(subnet) for subnet in subnets_of_service(service)), None)


def private_hosts(state: State, network_id: str | None) -> frozenset[str]:
    """Host names that a caller in a network resolves to a private endpoint of that network.

    It takes an endpoint in the network, a record in a zone of its DNS zone group, and a link of that zone to the
    network. A host without them is resolved to its public address. Peered networks are not modelled.
    """
    return frozenset(_private_hosts(state, network_id)) if network_id else frozenset()


def _private_hosts(state: State, network_id: str) -> Iterator[str]:
    linked = {zone.id.lower(): zone.name.lower() for zone in _linked_zones(state, network_id)}
    for group in state.of(ZONE_GROUP):
        endpoint = state.find(group.id.rpartition("/privateDnsZoneGroups/")[0])
        if endpoint is None or network_of(endpoint.inputs["subnet"]["id"]).lower() != network_id.lower():
            continue
        target = state.find(endpoint.inputs["privateLinkServiceConnections"][0]["privateLinkServiceId"])
        zones = {
            linked.get(str(zone.get("privateDnsZoneId")).lower())
            for zone in group.inputs.get("privateDnsZoneConfigs") or ()
        }
        if target is not None:
            yield from (host for host in hosts(target) if zone_of(host) in zones)


def _linked_zones(state: State, network_id: str) -> Iterator[Resource]:
    for link in state.of(ZONE_LINK):
        zone = state.find(link.id.rpartition("/virtualNetworkLinks/")[0])
        if zone is not None and link.inputs["virtualNetwork"]["id"].lower() == network_id.lower():
            yield zone


def resolves(state: State, network_id: str, host: str, addresses: list[str]) -> bool:
    """Whether a caller in a network resolves a host to one of these addresses by a record of its own."""
    for zone in _linked_zones(state, network_id):
        if zone.token == PRIVATE_ZONE and (host == zone.name.lower() or host.endswith(f".{zone.name.lower()}")):
            for record in state.of(RECORD_SET, under=zone.id):
                name = zone.name if record.name == "@" else f"{record.name}.{zone.name}"
                given = {found.get("ipv4Address") for found in record.inputs.get("aRecords") or ()}
                if name.lower() == host and given & set(addresses):
                    return True
    return False
