"""The rules of a subnet into which a service of a classic tier is injected.

From "Virtual network configuration reference: API Management", Required ports: those in bold, which the service needs,
and the optional ones for what this project uses: Microsoft Entra ID, Azure Managed Redis within the network, and
counters that a service's units share.
"""

from typing import Any, NamedTuple

from options import GatewayNetwork


class _Rule(NamedTuple):
    name: str
    direction: str
    source: str
    destination: str
    ports: list[str]
    protocol: str = "Tcp"


_NETWORK = "VirtualNetwork"
_RULES = (
    _Rule("management", "Inbound", "ApiManagement", _NETWORK, ["3443"]),
    _Rule("load-balancer", "Inbound", "AzureLoadBalancer", _NETWORK, ["6390"]),
    _Rule("certificates", "Outbound", _NETWORK, "Internet", ["80"]),
    _Rule("storage", "Outbound", _NETWORK, "Storage", ["443"]),
    _Rule("sql", "Outbound", _NETWORK, "Sql", ["1433"]),
    _Rule("key-vault", "Outbound", _NETWORK, "AzureKeyVault", ["443"]),
    _Rule("monitor", "Outbound", _NETWORK, "AzureMonitor", ["1886", "443"]),
    _Rule("entra", "Outbound", _NETWORK, "AzureActiveDirectory", ["443"]),
    _Rule("counters", "Inbound", _NETWORK, _NETWORK, ["4290"], "Udp"),
    _Rule("counters", "Outbound", _NETWORK, _NETWORK, ["4290"], "Udp"),
)
_CLIENTS = (
    _Rule("clients", "Inbound", "Internet", _NETWORK, ["443"]),
    _Rule("traffic-manager", "Inbound", "AzureTrafficManager", _NETWORK, ["443"]),
)
"""Rules of external mode alone."""
_FIRST, _STEP = 100, 10


def injection_rules(way: GatewayNetwork) -> list[Any]:
    """Return the security rules for a service that is injected in this way."""
    rules = (*_CLIENTS, *_RULES) if way is GatewayNetwork.EXTERNAL else _RULES
    return [
        {
            "name": f"{rule.name}-{rule.direction.lower()}",
            "access": "Allow",
            "direction": rule.direction,
            "priority": _FIRST + _STEP * number,
            "protocol": rule.protocol,
            "source_address_prefix": rule.source,
            "source_port_range": "*",
            "destination_address_prefix": rule.destination,
            **(
                {"destination_port_range": rule.ports[0]}
                if len(rule.ports) == 1
                else {"destination_port_ranges": rule.ports}
            ),
        }
        for number, rule in enumerate(rules)
    ]
