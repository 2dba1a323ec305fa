"""Records of a private DNS zone; those with addresses (A) alone."""

from ipaddress import IPv4Address

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.privatedns import PATH, RECORD_SET
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State


def _complete(_state: State, resource: Resource, parent: Resource) -> None:
    for index, record in enumerate(resource.inputs.get("aRecords") or ()):
        target = f"aRecords[{index}].ipv4Address"
        try:
            IPv4Address(record.get("ipv4Address"))
        except ValueError:
            raise ValidationError(f"{target} {record.get('ipv4Address')!r} is no IPv4 address", target) from None
    name = parent.name if resource.name == "@" else f"{resource.name}.{parent.name}"
    resource.outputs |= {"fqdn": f"{name}.", "isAutoRegistered": False}


TYPE = arm_type(
    token=RECORD_SET,
    path=f"{PATH}/A",
    names="privateZoneName relativeRecordSetName",
    shape=Shape(
        "privateZoneName recordType resourceGroupName",
        "aRecords aaaaRecords cnameRecord metadata mxRecords ptrRecords relativeRecordSetName soaRecord srvRecords ttl "
        "txtRecords",
        recordType=Text(values=("A",)),
        aRecords=Shape("", "ipv4Address"),
    ),
    complete=_complete,
    pattern=r"^(?:@|[a-zA-Z0-9_*-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63})*)$",
)
