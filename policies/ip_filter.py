"""`ip-filter`: allows or blocks callers by their IP address."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.shared.errors import PolicyError
from policies.shared.options import Options, is_expression, is_named_value
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy, options_element, text_element


class IpFilterAction(StrEnum):
    """What happens to callers from the addresses."""

    ALLOW = "allow"
    """Only they are allowed."""
    FORBID = "forbid"
    """Only they are blocked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRange(Options):
    """A range of addresses, both bounds included."""

    from_: str
    """First address, or a named value with it."""
    to: str
    """Last address, or a named value with it."""

    def __post_init__(self) -> None:
        """Check that the range has addresses in it."""
        Options.__post_init__(self)
        bounds = [_address("address range", text) for text in (self.from_, self.to)]
        if None in bounds:
            return
        first, last = (int(bound) for bound in bounds if bound is not None)
        if len({bound.version for bound in bounds if bound is not None}) > 1 or first > last:
            raise PolicyError(
                f"address range from {self.from_} to {self.to} is empty; give the lower address first, both of a kind"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class IpFilter(TypedPolicy):
    """Allows or blocks calls by the caller's IP address (ip-filter)."""

    tag: ClassVar[str] = "ip-filter"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    action: IpFilterAction | str
    """Whether the addresses are allowed or blocked, or an expression."""
    addresses: list[str] = field(default_factory=list)
    """Addresses, each literal or an expression."""
    address_ranges: list[AddressRange] = field(default_factory=list)
    """Ranges of addresses."""

    def __post_init__(self) -> None:
        """Check that there are addresses."""
        TypedPolicy.__post_init__(self)
        if not (self.addresses or self.address_ranges):
            raise PolicyError(f"{self.tag} has no address; give addresses or address_ranges")
        for address in self.addresses:
            if not is_expression(address):
                _address(f"{self.tag} addresses", address)

    def children(self) -> Iterator[ET.Element]:
        """Yield addresses, then ranges."""
        for address in self.addresses:
            yield text_element("address", address)
        for address_range in self.address_ranges:
            yield options_element("address-range", address_range)


def _address(what: str, text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address, or None for a named value, whose value is not known here."""
    if is_named_value(text):
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise PolicyError(f"{what} {text!r} is not an IP address; use one such as 13.66.201.169") from None
