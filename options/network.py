"""The virtual network that accounts, vaults and caches are reached through, and how the service joins it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

from options import existing
from options.defaulted import Defaulted
from options.gateway import SYSTEM_ASSIGNED, GatewayOptions, GatewaySku, subnet
from options.mistakes import Key, Mistake
from options.rules import Rules, boolean, excludes_existing, prefixed

DEFAULT_SPACE = "10.80.0.0/23"
"""Addresses of a network that is created."""


class NetworkMode(StrEnum):
    """Where accounts, vaults and caches are reached from."""

    PUBLIC = "public"
    PRIVATE = "private"


class GatewayNetwork(StrEnum):
    """How the service joins a virtual network, in Microsoft's words."""

    INTEGRATION = "integration"
    EXTERNAL = "external"
    INTERNAL = "internal"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingNetwork:
    """A virtual network that another stack or team owns."""

    endpoint_subnet: str
    """Resource ID of the subnet for private endpoints."""
    gateway_subnet: str | None = None
    """Resource ID of the subnet that a service which is created joins. It has a network security group, and in the v2
    tiers it is delegated: to `Microsoft.Web/serverFarms` for integration, to `Microsoft.Web/hostingEnvironments` for
    injection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingDnsZones:
    """Private DNS zones that another stack or team owns, and has linked to the network, such as those of a hub."""

    resource_group: str
    """Resource group that holds them, each under Azure's name for it, such as `privatelink.openai.azure.com`."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundEndpointOptions:
    """A private endpoint that leads to the service, so that callers in the network reach it by a private address."""

    public_access: Defaulted[bool] = True
    """Whether callers reach the service from the internet too. Defaults to true. Azure refuses false for a new service:
    deploy it once with true, then set false."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkOptions:
    """The virtual network of a deployment."""

    mode: Defaulted[NetworkMode] = NetworkMode.PUBLIC
    """`public` (default): accounts, vaults and caches are reached from the internet, by those who may. `private`: those
    that are created are reached through private endpoints alone, and the service joins the virtual network."""
    gateway: GatewayNetwork | None = None
    """How the service joins the network. `integration` (StandardV2, PremiumV2): it calls through the network, and is
    called from the internet. `external` (Developer, Premium): it is in the network, and is called from the internet.
    `internal` (Developer, Premium, PremiumV2): it is in the network, and is called from there alone. Defaults to
    `integration` in the v2 tiers and to `external` in the others. In the v2 tiers a service cannot be moved between
    `internal` and the others."""
    address_space: str | None = None
    """Addresses of the network that is created, /26 or larger: the first half is for the service, the second for
    private endpoints. Defaults to `10.80.0.0/23`."""
    existing: ExistingNetwork | None = None
    """Network to adopt without owning it. By default one is created."""
    dns_zones: ExistingDnsZones | None = None
    """Private DNS zones to adopt without owning them. By default they are created and linked to the network."""
    inbound_endpoint: InboundEndpointOptions | None = None
    """Private endpoint of the service, with `integration`. By default there is none."""
    public_access: Defaulted[bool] = False
    """Whether accounts, vaults and caches are reached from the internet too. Defaults to false. With true, a public
    stack gets its endpoints before the internet is shut out, so that no call fails in between."""


_LARGEST, _SMALLEST = 8, 26
"""Prefixes of the largest and the smallest network that is created: half of it must hold a service of a v2 tier, /27
("Integrate an Azure API Management instance with a private virtual network")."""


def _address_space(key: Key, value: object) -> Iterator[Mistake]:
    if not isinstance(value, str):
        return
    try:
        fits = _LARGEST <= IPv4Network(value).prefixlen <= _SMALLEST
    except ValueError:
        fits = False
    if not fits:
        allowed = (
            f"a range such as {DEFAULT_SPACE}, from /{_LARGEST} to /{_SMALLEST}, that begins with its first address"
        )
        yield Mistake(key=key, value=value, problem=f"is not valid; allowed: {allowed}")


VALUES: Rules = {
    "": (excludes_existing("network", "address_space"),),
    "address_space": (_address_space,),
    "existing.endpoint_subnet": (subnet,),
    "existing.gateway_subnet": (subnet,),
    **prefixed("dns_zones", existing.VALUES),
    "inbound_endpoint.public_access": (boolean,),
    "public_access": (boolean,),
}

_GATEWAYS: Mapping[GatewaySku, Sequence[GatewayNetwork]] = {
    GatewaySku.DEVELOPER: (GatewayNetwork.EXTERNAL, GatewayNetwork.INTERNAL),
    GatewaySku.PREMIUM: (GatewayNetwork.EXTERNAL, GatewayNetwork.INTERNAL),
    GatewaySku.STANDARD_V2: (GatewayNetwork.INTEGRATION,),
    GatewaySku.PREMIUM_V2: (GatewayNetwork.INTEGRATION, GatewayNetwork.INTERNAL),
}
"""How each tier can join a network, its default first ("Use a virtual network to secure inbound or outbound traffic for
Azure API Management"). The other tiers cannot."""


def gateway_network(network: NetworkOptions, sku: GatewaySku) -> GatewayNetwork | None:
    """Return how a service of the tier joins the network, None if it joins none."""
    if network.mode is NetworkMode.PUBLIC:
        return None
    return network.gateway or next(iter(_GATEWAYS.get(sku, ())), None)


def check_network(network: NetworkOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of the network alone."""
    if network.mode is NetworkMode.PRIVATE:
        return
    for name, given in (
        ("gateway", network.gateway),
        ("address_space", network.address_space),
        ("existing", network.existing),
        ("dns_zones", network.dns_zones),
        ("inbound_endpoint", network.inbound_endpoint),
        ("public_access", network.public_access or None),
    ):
        if given is not None:
            problem = "has no effect with {0} public; remove it, or set {0} to private"
            yield Mistake(key=(name,), problem=problem, about=(("mode",),))


def check_gateway_network(
    network: NetworkOptions, gateway: GatewayOptions, at: Key, gateway_at: Key
) -> Iterator[Mistake]:
    """Refuse networks that the service cannot join; `at` and `gateway_at` are the keys of the two groups of options."""
    if network.mode is NetworkMode.PRIVATE and gateway.existing:
        yield from _check_adopted(network, at, gateway_at)
    elif network.mode is NetworkMode.PRIVATE:
        yield from _check_created(network, gateway, at, gateway_at)
    yield from _check_locations(network, gateway, at, gateway_at)


def _check_adopted(network: NetworkOptions, at: Key, gateway_at: Key) -> Iterator[Mistake]:
    """Yield what cannot be done for a service that somebody else owns, who decides what network it is in."""
    adopted = (*gateway_at, "existing")
    for name, given in (("gateway", network.gateway), ("inbound_endpoint", network.inbound_endpoint)):
        if given is not None:
            problem = "cannot be set for the adopted service of {0}, whose owner decides it; remove it"
            yield Mistake(key=(*at, name), problem=problem, about=(adopted,))
    if network.existing is None:
        problem = "is missing; with {0} it names the network that the adopted service has joined already"
        yield Mistake(key=(*at, "existing"), problem=problem, about=(adopted,))
    elif network.existing.gateway_subnet is not None:
        problem = "has no effect with {0}, as the adopted service has a subnet already; remove it"
        yield Mistake(key=(*at, "existing", "gateway_subnet"), problem=problem, about=(adopted,))


def _check_created(network: NetworkOptions, gateway: GatewayOptions, at: Key, gateway_at: Key) -> Iterator[Mistake]:
    sku = (*gateway_at, "sku")
    allowed = _GATEWAYS.get(gateway.sku)
    if allowed is None:
        problem = f"is not possible with {{0}} {gateway.sku}, which joins no virtual network; set {{0}} to {_tiers()}"
        yield Mistake(key=(*at, "mode"), value=str(network.mode), problem=problem, about=(sku,))
        return
    if network.gateway is not None and network.gateway not in allowed:
        problem = f"is not possible with {{0}} {gateway.sku}; allowed: {' or '.join(allowed)}; change one of the two"
        yield Mistake(key=(*at, "gateway"), value=str(network.gateway), problem=problem, about=(sku,))
    elif (
        network.inbound_endpoint is not None
        and (way := network.gateway or allowed[0]) is not GatewayNetwork.INTEGRATION
    ):
        problem = (
            f"is not possible for a service that is injected ({way}); with {{0}} internal it is called by a private "
            "address anyway; remove it, or set {1} to StandardV2 or PremiumV2 and {0} to integration"
        )
        yield Mistake(key=(*at, "inbound_endpoint"), problem=problem, about=((*at, "gateway"), sku))
    if network.existing is not None:
        yield from _check_subnets(network.existing, gateway.sku, at)


def _check_subnets(subnets: ExistingNetwork, sku: GatewaySku, at: Key) -> Iterator[Mistake]:
    key = (*at, "existing", "gateway_subnet")
    if subnets.gateway_subnet is None:
        yield Mistake(key=key, problem="is missing; a new service needs it: give the resource ID of a subnet")
    elif sku.family == "v2" and subnets.gateway_subnet.lower() == subnets.endpoint_subnet.lower():
        problem = f"must be another subnet than that of private endpoints: {sku} shares its own with nothing"
        yield Mistake(key=key, value=subnets.gateway_subnet, problem=problem)


def _check_locations(network: NetworkOptions, gateway: GatewayOptions, at: Key, gateway_at: Key) -> Iterator[Mistake]:
    """Yield additional locations that lack a subnet, or have one that is not used."""
    injected = not gateway.existing and gateway_network(network, gateway.sku) in {
        GatewayNetwork.EXTERNAL,
        GatewayNetwork.INTERNAL,
    }
    for i, location in enumerate(gateway.additional_locations):
        key = (*gateway_at, "additional_locations", i, "subnet")
        if injected and location.subnet is None:
            problem = (
                "is missing; {0} private puts each gateway in a network of its region: give the resource ID of a "
                "subnet in a network that is peered with that of the private endpoints"
            )
            yield Mistake(key=key, problem=problem, about=((*at, "mode"),))
        elif location.subnet is not None and not injected:
            problem = "has no effect, as {0} is public; remove it, or set {0} to private"
            yield Mistake(key=key, value=location.subnet, problem=problem, about=((*at, "mode"),))


def _tiers() -> str:
    *others, last = map(str, _GATEWAYS)
    return f"{', '.join(others)} or {last}"


def check_vault_reader(network: NetworkOptions, identity: str, key: Key, network_at: Key) -> Iterator[Mistake]:
    """Refuse a user-assigned identity that would read a vault without public access.

    "Requirements for Key Vault firewall" (Use named values in Azure API Management policies): the service must read it
    with its system-assigned identity.
    """
    private = network.mode is NetworkMode.PRIVATE and not network.public_access
    if private and identity != SYSTEM_ASSIGNED:
        problem = (
            "is not possible with {0} private for an API whose identity is user-assigned, as API Management reads "
            "a vault behind a firewall with its system-assigned identity; set the API's identity to system-assigned, "
            "or set source to named-value"
        )
        yield Mistake(key=(*key, "source"), value="key-vault", problem=problem, about=((*network_at, "mode"),))
