"""The API Management service: what to create, or which one to adopt."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.key import vault_name
from options.known import known_region
from options.mistakes import Key, Mistake, unique
from options.rules import (
    GUID,
    Rules,
    chosen,
    distinct,
    excludes_existing,
    matches,
    number,
    prefixed,
    region,
    short_text,
)

SYSTEM_ASSIGNED = "system-assigned"
USER_ASSIGNED = "user-assigned"


class GatewaySku(StrEnum):
    """Pricing tier of an API Management service, as ARM spells it."""

    CONSUMPTION = "Consumption"
    DEVELOPER = "Developer"
    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"
    BASIC_V2 = "BasicV2"
    STANDARD_V2 = "StandardV2"
    PREMIUM_V2 = "PremiumV2"

    @property
    def family(self) -> str:
        """`consumption`, `v2` or `classic`: a service cannot change to a tier of another family."""
        if self is GatewaySku.CONSUMPTION:
            return "consumption"
        return "v2" if self.value.endswith("V2") else "classic"


@dataclass(frozen=True, kw_only=True, slots=True)
class HostnameOptions:
    """Your own host name for the gateway, with its certificate in Key Vault.

    A user-assigned identity reads the certificate, since a system-assigned one does not exist before the service: the
    one in `identity`, or one that is created. Point a CNAME record of the name to the service's name in
    `azure-api.net`.
    """

    name: str
    """Host name, such as `ai.contoso.com`, or `*.contoso.com` for all names below `contoso.com`."""
    vault: ExistingResource
    """Vault in Azure RBAC mode that holds the certificate; its firewall must let the service in."""
    certificate: str
    """Name of the certificate in the vault. The gateway picks up renewals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AdditionalLocationOptions:
    """An additional region with a gateway."""

    location: str
    """Azure region."""
    capacity: int | None = None
    """Scale units in the region. Defaults to one for each of the `zones`, or to the number in the primary region."""
    zones: Defaulted[list[int]] = field(default_factory=list)
    """Availability zones of those units. Azure chooses them by default."""
    subnet: str | None = None
    """Resource ID of the subnet of the region that the gateway joins, for a service that is injected (`network`). Its
    network is peered with that of the private endpoints."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayOptions:
    """The API Management service: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Service to adopt without owning it. By default a service is created."""
    name: str | None = None
    """Name of the service to create, unique in Azure. Defaults to the component's name with a random suffix."""
    sku: Defaulted[GatewaySku] = GatewaySku.BASIC_V2
    """Pricing tier. Defaults to `BasicV2`, the smallest tier that is created in minutes."""
    capacity: int | None = None
    """Scale units. Defaults to one for each of the `zones`, or to 1; Consumption has 0 and allows nothing else."""
    publisher_name: str | None = None
    """Organization shown in the developer portal and in e-mail. Required to create a service."""
    publisher_email: str | None = None
    """Address that the service sends e-mail from and its notifications to. Required to create a service."""
    identity: Defaulted[str] = SYSTEM_ASSIGNED
    """`system-assigned` (default), `user-assigned` (one is created) or the resource ID of a user-assigned identity."""
    hostnames: Defaulted[list[HostnameOptions]] = field(default_factory=list)
    """Your own host names for the gateway, in addition to the one in `azure-api.net`."""
    zones: Defaulted[list[int]] = field(default_factory=list)
    """Availability zones of the scale units, each with the same number of units. Azure chooses them by default. In a v2
    tier they cannot be changed later."""
    additional_locations: Defaulted[list[AdditionalLocationOptions]] = field(default_factory=list)
    """Additional regions with a gateway; only Premium supports them."""
    tags: Defaulted[dict[str, str]] = field(default_factory=dict)
    """Tags of the service."""
    name_prefix: Defaulted[str] = ""
    """Prefix of the names of this stack's APIs, products, backends, named values and subscriptions on the service, such
    as `team-a-`, so that they differ from those of other stacks. A change recreates these resources. Defaults to
    none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tier:
    """What a pricing tier supports ("Feature-based comparison of the Azure API Management tiers")."""

    units: range
    zones: bool = False
    regions: bool = False
    hostnames: int = 1
    wildcards: bool = True


_TIERS = {
    GatewaySku.CONSUMPTION: _Tier(units=range(1), wildcards=False),
    GatewaySku.DEVELOPER: _Tier(units=range(1, 2), hostnames=20),
    GatewaySku.BASIC: _Tier(units=range(1, 3)),
    GatewaySku.STANDARD: _Tier(units=range(1, 5)),
    GatewaySku.PREMIUM: _Tier(units=range(1, 13), zones=True, regions=True, hostnames=20),
    GatewaySku.BASIC_V2: _Tier(units=range(1, 11), wildcards=False),
    GatewaySku.STANDARD_V2: _Tier(units=range(1, 11), zones=True),
    GatewaySku.PREMIUM_V2: _Tier(units=range(1, 31), zones=True, hostnames=20),
}

identity = matches(
    f"{SYSTEM_ASSIGNED}|{USER_ASSIGNED}|(?i:/subscriptions/{GUID}/resourceGroups/[^/]+"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/[A-Za-z0-9][A-Za-z0-9_-]{2,127})",
    "system-assigned, user-assigned or the resource ID of a user-assigned identity (/subscriptions/...)",
)
name_prefix = matches(
    "(?:[a-zA-Z][a-zA-Z0-9-]{0,19})?", "up to 20 letters, digits and hyphens, beginning with a letter, such as team-a-"
)
_name = matches(
    "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
    "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
)
_hostname = matches(
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}",
    "a host name such as ai.contoso.com",
)
subnet = matches(
    f"(?i:/subscriptions/{GUID}/resourceGroups/[^/]+/providers/Microsoft\\.Network/virtualNetworks/[^/]+/subnets/[^/]+)",
    "the resource ID of a subnet (/subscriptions/...)",
)
_zone = number(1, 3, "an availability zone, 1, 2 or 3")


def _tags(key: Key, value: object) -> Iterator[Mistake]:
    if not isinstance(value, Mapping):
        return
    if len(value) > 50:
        yield Mistake(key=key, problem=f"has {len(value)} tags; allowed: up to 50; remove some")
    for name, text in value.items():
        if not re.fullmatch(r"[^<>%&\\?/\x00-\x1f]{1,512}", str(name)):
            problem = "has an invalid name; allowed: 1 to 512 characters, none of < > % & \\ ? /"
            yield Mistake(key=(*key, chosen(name)), problem=problem)
        if isinstance(text, str) and len(text) > 256:
            problem = f"is {len(text)} characters long; allowed: up to 256; shorten it"
            yield Mistake(key=(*key, chosen(name)), problem=problem)


VALUES: Rules = {
    "": (
        excludes_existing(
            "service",
            "name",
            "sku",
            "capacity",
            "publisher_name",
            "publisher_email",
            "hostnames",
            "zones",
            "additional_locations",
            "tags",
        ),
    ),
    "existing.name": (_name,),
    **prefixed("existing", existing.VALUES),
    "name": (_name,),
    "capacity": (number(0, None, "a whole number from 0"),),
    "publisher_name": (short_text,),
    "publisher_email": (matches(r"(?=.{1,100}\Z)[^@\s]+@[^@\s]+\.[^@\s.]+", "an address such as ai@contoso.com"),),
    "identity": (identity,),
    "hostnames.*.name": (_hostname,),
    "hostnames.*.vault.name": (vault_name,),
    **prefixed("hostnames.*.vault", existing.VALUES),
    "hostnames.*.certificate": (matches("[A-Za-z0-9-]{1,127}", "1 to 127 letters, digits and hyphens"),),
    "zones": (distinct,),
    "zones.*": (_zone,),
    "additional_locations.*.location": (region, known_region),
    "additional_locations.*.capacity": (number(1, None, "a whole number from 1"),),
    "additional_locations.*.subnet": (subnet,),
    "additional_locations.*.zones": (distinct,),
    "additional_locations.*.zones.*": (_zone,),
    "tags": (_tags,),
    "name_prefix": (name_prefix,),
}


def check_gateway(gateway: GatewayOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the service."""
    if gateway.existing:
        if gateway.identity == USER_ASSIGNED:
            yield user_assigned_on_adopted(("identity",))
        return
    for name, value, example in (
        ("publisher_name", gateway.publisher_name, "your organization"),
        ("publisher_email", gateway.publisher_email, "an address of yours"),
    ):
        if value is None:
            problem = f"is missing; a new service needs it: give {example}, or adopt a service with existing"
            yield Mistake(key=(name,), problem=problem)
    yield from _check_units((), gateway.sku, gateway.capacity, gateway.zones)
    yield from _check_locations(gateway)
    yield from _check_hostnames(gateway)


def _check_units(key: Key, sku: GatewaySku, capacity: int | None, zones: list[int]) -> Iterator[Mistake]:
    """Yield what is wrong with the scale units and zones of one region."""
    tier = _TIERS[sku]
    if zones and not tier.zones:
        yield _unavailable((*key, "zones"), sku, lambda other: other.zones)
    if capacity is None:
        return
    if capacity not in tier.units:
        span = f"{tier.units[0]}" if len(tier.units) == 1 else f"{tier.units[0]} to {tier.units[-1]}"
        problem = f"is not valid for the SKU {sku}; allowed: {span}; change capacity or sku"
        yield Mistake(key=(*key, "capacity"), value=capacity, problem=problem)
    elif zones and tier.zones and capacity % len(zones):
        problem = f"cannot be spread evenly over {len(zones)} zones; use a multiple of {len(zones)}, or fewer zones"
        yield Mistake(key=(*key, "capacity"), value=capacity, problem=problem)


def _check_locations(gateway: GatewayOptions) -> Iterator[Mistake]:
    locations = gateway.additional_locations
    if locations and not _TIERS[gateway.sku].regions:
        yield _unavailable(("additional_locations",), gateway.sku, lambda other: other.regions)
        return
    for i, location in enumerate(locations):
        yield from _check_units(("additional_locations", i), gateway.sku, location.capacity, location.zones)
    named = [(("additional_locations", i, "location"), found.location) for i, found in enumerate(locations)]
    yield from unique(named, "each region has one gateway")


def _check_hostnames(gateway: GatewayOptions) -> Iterator[Mistake]:
    tier, hostnames = _TIERS[gateway.sku], gateway.hostnames
    if len(hostnames) > tier.hostnames:
        problem = f"has {len(hostnames)} names; allowed with the SKU {gateway.sku}: {tier.hostnames}; remove some"
        yield Mistake(key=("hostnames",), problem=problem)
    for i, hostname in enumerate(hostnames):
        if hostname.name.startswith("*.") and not tier.wildcards:
            problem = f"has a wildcard, which the SKU {gateway.sku} does not support; give a full name, or change sku"
            yield Mistake(key=("hostnames", i, "name"), value=hostname.name, problem=problem)
    named = [(("hostnames", i, "name"), hostname.name) for i, hostname in enumerate(hostnames)]
    yield from unique(named, "each name has one certificate")


def _unavailable(key: Key, sku: GatewaySku, has: Callable[[_Tier], bool]) -> Mistake:
    *others, last = [other for other, tier in _TIERS.items() if has(tier)]
    tiers = f"{', '.join(others)} or {last}" if others else last
    return Mistake(key=key, problem=f"cannot be set with the SKU {sku}; allowed with {tiers}; remove it, or change sku")


def check_primary_region(gateway: GatewayOptions, location: str) -> Iterator[Mistake]:
    """Refuse additional locations that repeat `location`, the service's primary region."""
    for i, found in enumerate(gateway.additional_locations):
        if found.location.replace(" ", "").lower() == location.replace(" ", "").lower():
            problem = "is already the service's primary region; remove it, and set capacity for more units there"
            yield Mistake(key=("additional_locations", i, "location"), value=found.location, problem=problem)


def user_assigned_on_adopted(key: Key) -> Mistake:
    """Return the mistake of asking for a new identity on an adopted service."""
    problem = "cannot be created for an adopted service; give the resource ID of an identity that the service has"
    return Mistake(key=key, value=USER_ASSIGNED, problem=problem)
