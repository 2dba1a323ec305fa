from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import AddressRange, IpFilter, IpFilterAction
from tests.policies.reader import many, read_texts
from tests.policies.record import Record
from tests.policies.values import choice, expressions, named_values, options

v4 = st.ip_addresses(v=4)

v6 = st.ip_addresses(v=6)

addresses = (v4 | v6).map(str) | expressions | named_values

ranges = st.one_of(
    *(
        st.builds(lambda ends: AddressRange(from_=str(min(ends)), to=str(max(ends))), st.tuples(kind, kind))
        for kind in (v4, v6)
    ),
    st.builds(AddressRange, from_=named_values, to=v4.map(str)),
)


def _children(element: ET.Element) -> dict[str, Any]:
    return {
        "addresses": read_texts(element, "address"),
        "address_ranges": many(AddressRange, element.findall("address-range")),
    }


RECORD = Record(
    IpFilter,
    examples=(
        AddressRange(from_="10.0.0.1", to="10.0.0.9"),
        IpFilter(action=IpFilterAction.ALLOW, addresses=["10.0.0.1"]),
    ),
    drawn=options(
        IpFilter,
        action=choice(IpFilterAction),
        addresses=st.lists(addresses, min_size=1, max_size=3),
        address_ranges=st.lists(ranges, max_size=2),
    )
    | options(IpFilter, action=choice(IpFilterAction), address_ranges=st.lists(ranges, min_size=1, max_size=2)),
    renders={
        "ip-filter takes every option": (
            IpFilter(
                id="i",
                action=IpFilterAction.ALLOW,
                addresses=["13.66.201.169", "@(context.Request.IpAddress)"],
                address_ranges=[
                    AddressRange(from_="13.66.140.128", to="13.66.140.143"),
                    AddressRange(from_="{{low}}", to="{{high}}"),
                ],
            ),
            """
        <ip-filter id="i" action="allow">
            <address>13.66.201.169</address>
            <address>@(context.Request.IpAddress)</address>
            <address-range from="13.66.140.128" to="13.66.140.143" />
            <address-range from="{{low}}" to="{{high}}" />
        </ip-filter>
        """,
        ),
    },
    refuses=(
        (lambda: IpFilter(action=IpFilterAction.ALLOW), "ip-filter has no address; give addresses or address_ranges"),
        *(
            (
                lambda address=address: IpFilter(action=IpFilterAction.FORBID, addresses=[address]),
                f"ip-filter addresses {address!r} is not an IP address; use one such as 13.66.201.169",
            )
            for address in ("10.0.0.0/8", "host.example", "", " 10.0.0.1", "010.0.0.1")
        ),
        *(
            (
                lambda ends=ends: AddressRange(from_=ends[0], to=ends[1]),
                f"address range from {ends[0]} to {ends[1]} is empty; give the lower address first, both of a kind",
            )
            for ends in (("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "::ffff"))
        ),
        (
            lambda: AddressRange(from_="10.0.0.1", to="@(1)"),
            "address range '@(1)' is not an IP address; use one such as 13.66.201.169",
        ),
    ),
    children=_children,
)
