"""The API Management service: what to create, or which one to adopt."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.mistakes import Key, Mistake
from options.rules import GUID, Rules, adopted, like, number, own, prefixed, words

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
class GatewayOptions:
    """The API Management service: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Service to adopt without owning it. Left out: one is created."""
    name: str | None = None
    """Name of the service to create, unique in Azure. Left out: made from the component's name and random letters."""
    sku: Defaulted[GatewaySku] = GatewaySku.BASIC_V2
    """Pricing tier. Left out: BasicV2, the smallest that is created in minutes."""
    capacity: int | None = None
    """Scale units. Left out: 1, or 0 for Consumption, which takes nothing else."""
    publisher_name: str | None = None
    """Organization shown in the developer portal and in mails. Needed to create a service."""
    publisher_email: str | None = None
    """Address that the service sends its mails from and to. Needed to create a service."""
    identity: Defaulted[str] = SYSTEM_ASSIGNED
    """`system-assigned`, `user-assigned` (one is created) or the resource ID of a user-assigned identity."""
    tags: Defaulted[dict[str, str]] = field(default_factory=dict)
    """Tags of the service."""
    name_prefix: Defaulted[str] = ""
    """What the names of this stack's APIs, backends, named values and subscriptions begin with on the service, such as
    `team-a-`, so that they differ from other stacks'. A change makes them anew. Left out: nothing."""


CAPACITY = {
    GatewaySku.CONSUMPTION: range(1),
    GatewaySku.DEVELOPER: range(1, 2),
    GatewaySku.BASIC: range(1, 3),
    GatewaySku.STANDARD: range(1, 5),
    GatewaySku.PREMIUM: range(1, 13),
    GatewaySku.BASIC_V2: range(1, 11),
    GatewaySku.STANDARD_V2: range(1, 11),
    GatewaySku.PREMIUM_V2: range(1, 31),
}
"""Scale units of each tier (API Management: features of the tiers)."""

identity = like(
    f"{SYSTEM_ASSIGNED}|{USER_ASSIGNED}|(?i:/subscriptions/{GUID}/resourceGroups/[^/]+"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/[A-Za-z0-9][A-Za-z0-9_-]{2,127})",
    "system-assigned, user-assigned or the resource ID of a user-assigned identity (/subscriptions/...)",
)
name_prefix = like(
    "(?:[a-zA-Z][a-zA-Z0-9-]{0,19})?", "up to 20 letters, digits and hyphens, beginning with a letter, such as team-a-"
)
_name = like(
    "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
    "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
)


def _tags(key: Key, value: object) -> Iterator[Mistake]:
    if not isinstance(value, Mapping):
        return
    if len(value) > 50:
        yield Mistake(key=key, problem=f"has {len(value)} tags; allowed: up to 50; remove some")
    for name, text in value.items():
        if not re.fullmatch(r"[^<>%&\\?/\x00-\x1f]{1,512}", str(name)):
            problem = "has a name that is not valid; allowed: 1 to 512 characters, none of < > % & \\ ? /"
            yield Mistake(key=(*key, own(name)), problem=problem)
        if isinstance(text, str) and len(text) > 256:
            problem = f"is {len(text)} characters long; allowed: up to 256; shorten it"
            yield Mistake(key=(*key, own(name)), problem=problem)


VALUES: Rules = {
    "": (adopted("a service", "name", "sku", "capacity", "publisher_name", "publisher_email", "tags"),),
    "existing.name": (_name,),
    **prefixed("existing", existing.VALUES),
    "name": (_name,),
    "capacity": (number(0, None, "a whole number from 0"),),
    "publisher_name": (words,),
    "publisher_email": (like(r"(?=.{1,100}\Z)[^@\s]+@[^@\s]+\.[^@\s.]+", "an address such as ai@contoso.com"),),
    "identity": (identity,),
    "tags": (_tags,),
    "name_prefix": (name_prefix,),
}


def check_gateway(gateway: GatewayOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the service."""
    if gateway.existing:
        if gateway.identity == USER_ASSIGNED:
            yield unattachable(("identity",))
        return
    for name, value, example in (
        ("publisher_name", gateway.publisher_name, "your organization"),
        ("publisher_email", gateway.publisher_email, "an address of yours"),
    ):
        if value is None:
            problem = f"is missing; a service to create needs it: give {example}, or adopt a service with existing"
            yield Mistake(key=(name,), problem=problem)
    allowed = CAPACITY[gateway.sku]
    if gateway.capacity is not None and gateway.capacity not in allowed:
        span = f"{allowed[0]}" if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
        problem = f"is not valid for the SKU {gateway.sku}; allowed: {span}; change capacity or sku"
        yield Mistake(key=("capacity",), value=gateway.capacity, problem=problem)


def unattachable(key: Key) -> Mistake:
    """Refuse an identity that would have to be created for a service that is adopted."""
    problem = "cannot be created for a service that is adopted; give the resource ID of an identity that it has"
    return Mistake(key=key, value=USER_ASSIGNED, problem=problem)
