"""What each pricing tier of API Management takes of a service, and how the service refuses the rest.

Sources: "Feature-based comparison of the Azure API Management tiers", "Enable availability zone support", "Configure a
custom domain name"; azurerm's `api_management` with its acceptance tests, which show what every tier lets pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement.exceptions import (
    EnableClientCertificateCannotBeChangedForSkuError,
    NotSupportedError,
)
from apim_emulator.azure.state import Properties, Resource

_SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """A pricing tier."""

    family: str
    """`classic`, `v2` or `Consumption`: a service cannot leave it ("Upgrade and scale an API Management instance")."""
    units: tuple[int, int]
    """Fewest and most scale units ("API Management limits")."""
    zones: bool = False
    """Whether availability zones can be named."""
    regions: bool = False
    """Whether there can be gateways in additional locations."""
    networks: frozenset[str] = frozenset()
    """Values of `virtualNetworkType` besides None: injection, and in a v2 tier External is outbound integration."""
    endpoint: bool = True
    """Whether a private endpoint can lead to the gateway ("Connect privately to API Management by using an inbound
    private endpoint")."""
    hostnames: int = 1
    """How many custom names the gateway takes; 20 is documented for Premium, and inferred for the others."""
    wildcards: bool = True
    """Whether such a name may begin with `*.`."""
    endpoints: frozenset[str] = frozenset({"Proxy", "DeveloperPortal"})
    """Endpoints that take a custom name."""


_INJECTED = frozenset({"External", "Internal"})


def _classic(units: int, **more: Any) -> Tier:
    endpoints = frozenset({"Proxy", "DeveloperPortal", "Portal", "Management", "Scm", "ConfigurationApi"})
    return Tier(family="classic", units=(1, units), endpoints=endpoints, **more)


TIERS = {
    "Consumption": Tier(
        family="Consumption", units=(0, 0), wildcards=False, endpoint=False, endpoints=frozenset({"Proxy"})
    ),
    "Developer": _classic(1, networks=_INJECTED, hostnames=20),
    "Basic": _classic(2),
    "Standard": _classic(4),
    "Premium": _classic(12, zones=True, regions=True, networks=_INJECTED, hostnames=20),
    "Isolated": _classic(12, zones=True, regions=True, networks=_INJECTED, hostnames=20),
    "BasicV2": Tier(family="v2", units=(1, 10), wildcards=False, endpoint=False),
    "StandardV2": Tier(family="v2", units=(1, 10), zones=True, networks=frozenset({"External"})),
    "PremiumV2": Tier(family="v2", units=(1, 30), zones=True, networks=_INJECTED, hostnames=20),
}
"""Tiers by `sku.name`. Isolated is retired; it is taken for Premium (inferred)."""


def tier_family(name: object) -> str:
    """Family of a tier, which a service cannot leave; an unknown one is in a family of its own."""
    tier = TIERS.get(str(name))
    return tier.family if tier else str(name)


def check_tier(service: Resource, before: Resource | None) -> None:
    """Refuse what the tier of a new or changed service does not take.

    Defaults that azurerm, or pulumi-azure-native without an issue about it, sends to a tier are let pass there:
    `virtualNetworkType: None`, `disableGateway: false`, the status of both portals, `natGatewayState: Disabled`.
    """
    inputs = service.inputs
    name = inputs["sku"]["name"]
    tier = TIERS[name]
    _check_units(name, inputs["sku"]["capacity"], inputs.get("zones") or (), "sku.capacity")
    if tier.family == "classic" and inputs.get("enableClientCertificate") is False:
        # pulumi-azure #3315; older versions of ARM say NotSupported (pulumi-azure-native #1741).
        raise EnableClientCertificateCannotBeChangedForSkuError(
            f"Setting EnableClientCertificate flag to false is not supported for {name} SKU.",
            "enableClientCertificate",
        )
    refused = list(_refused_properties(tier, inputs.get("customProperties") or {}))
    if refused:
        # The words are those of azurerm #8405, the code is inferred.
        raise NotSupportedError(
            f"'{','.join(refused)}' customProperties are not supported in SkuType {name}.",
            "customProperties",
        )
    _check_zones(name, service, before)
    _check_locations(name, inputs)
    _check_hostnames(name, inputs)


def _check_units(name: str, units: int, zones: Sequence[str], target: str) -> None:
    least, most = TIERS[name].units
    if not least <= units <= most:
        allowed = f"{least}" if least == most else f"{least} to {most}"
        raise ValidationError(f"{target} {units} with {name}; it takes {allowed}", target)
    if zones and units % len(zones):
        raise ValidationError(
            f"{target} {units} does not spread evenly over the {len(zones)} zones; use a multiple of {len(zones)}",
            target,
        )


def _refused_properties(tier: Tier, properties: Properties) -> Iterator[str]:
    """Yield the custom properties that a tier does not take: ciphers and clients' SSL 3.0 in Consumption.

    The v2 tiers support no change of the ciphers either, and yet azurerm sends them all there ("false").
    """
    if tier.family == "Consumption":
        for key in properties:
            if key.startswith(f"{_SECURITY}.Ciphers.") or key == f"{_SECURITY}.Protocols.Ssl30":
                yield key


def _check_zones(name: str, service: Resource, before: Resource | None) -> None:
    tier = TIERS[name]
    zones = sorted(service.inputs.get("zones") or ())
    if zones and not tier.zones:
        # The words are those of bicep-registry-modules #2561, the code is that of a region without zones (azurerm
        # #17515).
        raise NotSupportedError(f"Setting up 'AvailabilityZones' is not supported in Sku :'{name}'", "zones")
    if before is not None and tier.family == "v2" and zones != sorted(before.inputs.get("zones") or ()):
        raise NotSupportedError(
            f"Configuring zone redundancy in an existing instance isn't supported in Sku :'{name}'",
            "zones",
        )


def _check_locations(name: str, inputs: Properties) -> None:
    locations = inputs.get("additionalLocations") or ()
    if locations and not TIERS[name].regions:
        raise NotSupportedError(
            f"Setting up 'AdditionalLocations' is not supported in Sku :'{name}'", "additionalLocations"
        )
    seen = {_region(inputs["location"])}
    for index, location in enumerate(locations):
        target = f"additionalLocations[{index}]"
        if location["sku"]["name"] != name:
            raise ValidationError(f"{target}.sku.name must be the service's, {name}", f"{target}.sku.name")
        _check_units(name, location["sku"]["capacity"], location.get("zones") or (), f"{target}.sku.capacity")
        region = _region(location["location"])
        if region in seen:
            raise ValidationError(
                f"{target}.location {location['location']} is a location of the service already", target
            )
        seen.add(region)
    if inputs.get("disableGateway") and not locations:
        raise ValidationError(
            "disableGateway needs additionalLocations, which the gateway then serves from", "disableGateway"
        )


def _region(location: str) -> str:
    return location.replace(" ", "").lower()


def _check_hostnames(name: str, inputs: Properties) -> None:
    tier = TIERS[name]
    hostnames = inputs.get("hostnameConfigurations") or ()
    for index, hostname in enumerate(hostnames):
        target = f"hostnameConfigurations[{index}]"
        if hostname["type"] not in tier.endpoints:
            raise ValidationError(f"{target}.type {hostname['type']} is not available in {name}", f"{target}.type")
        if hostname["hostName"].startswith("*.") and not tier.wildcards:
            raise ValidationError(f"{target}.hostName: {name} takes no wildcard", f"{target}.hostName")
    custom = [
        hostname
        for hostname in hostnames
        if hostname["type"] == "Proxy" and hostname.get("certificateSource") != "BuiltIn"
    ]
    if len(custom) > tier.hostnames:
        raise ValidationError(
            f"{len(custom)} custom hostnames of the gateway with {name}; it takes {tier.hostnames}",
            "hostnameConfigurations",
        )
