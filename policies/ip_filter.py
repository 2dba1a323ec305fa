"""`ip-filter`: lets callers in, or keeps them out, by their address."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from xml.etree import ElementTree as ET

from policies.errors import PolicyError
from policies.options import Options, is_expression, is_named_value
from policies.policy import INBOUND_ONLY, Section, TypedPolicy, options_element, text_element


class IpFilterAction(StrEnum):
    """What happens to callers of the addresses."""

    ALLOW = "allow"
    """They alone are let in."""
    FORBID = "forbid"
    """They alone are kept out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRange(Options):
    """A range of addresses, both ends included."""

    from_: str
    """First address, or a named value of it."""
    to: str
    """Last address, or a named value of it."""

    def __post_init__(self) -> None:
        """Check that the range has addresses in it."""
        Options.__post_init__(self)
        ends = [_address("address range", text) for text in (self.from_, self.to)]
        if None in ends:
            return
        first, last = (int(end) for end in ends if end is not None)
        if len({end.version for end in ends if end is not None}) > 1 or first > last:
            raise PolicyError(
                f"address range from {self.from_} to {self.to} is empty; give the lower address first, both of a kind"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class IpFilter(TypedPolicy):
    """Lets calls in, or keeps them out, by the caller's address (ip-filter)."""

    tag: ClassVar[str] = "ip-filter"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    action: IpFilterAction | str
    """Whether the addresses are let in or kept out, or an expression."""
    addresses: list[str] = field(default_factory=list)
    """Addresses, each literal or an expression. Left out: `address_ranges` says."""
    address_ranges: list[AddressRange] = field(default_factory=list)
    """Ranges of addresses. Left out: `addresses` says."""

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
    """Return the address, or nothing for a named value, which the gateway reads."""
    if is_named_value(text):
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise PolicyError(f"{what} {text!r} is not an IP address; use one such as 13.66.201.169") from None
