"""Network security groups."""

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.network import PATH, SECURITY_GROUP, SUBNET
from apim_emulator.azure.providers.network.exceptions import (
    InUseSecurityGroupCannotBeDeletedError,
    SecurityRuleConflictError,
)
from apim_emulator.azure.resource_types import Shape, Text, arm_type
from apim_emulator.azure.state import Resource, State

_PRIORITIES = range(100, 4097)


def _complete(_state: State, resource: Resource, _parent: Resource) -> None:
    taken: dict[tuple[object, object], str] = {}
    for index, rule in enumerate(resource.inputs.get("securityRules") or ()):
        target, name = f"securityRules[{index}]", str(rule.get("name"))
        if rule.get("priority") not in _PRIORITIES:
            raise ValidationError(f"{target}.priority must be from 100 to 4096", f"{target}.priority")
        if (other := taken.setdefault((rule["direction"], rule["priority"]), name)) != name:
            raise SecurityRuleConflictError(
                f"Security rule {name} conflicts with rule {other}. Rules cannot have the same Priority and Direction.",
                f"{target}.priority",
            )
        for end in ("source", "destination"):
            for what in ("AddressPrefix", "PortRange"):
                plural = "es" if what == "AddressPrefix" else "s"
                if not (rule.get(f"{end}{what}") or rule.get(f"{end}{what}{plural}")):
                    raise ValidationError(f"{target}.{end}{what} is missing; it is required", f"{target}.{end}{what}")
    resource.outputs |= {"provisioningState": "Succeeded"}


def _delete(state: State, group: Resource) -> None:
    for subnet in state.of(SUBNET):
        if str((subnet.inputs.get("networkSecurityGroup") or {}).get("id")).lower() == group.id.lower():
            raise InUseSecurityGroupCannotBeDeletedError(
                f"Network security group {group.id} cannot be deleted because it is in use by the following "
                f"resources: {subnet.id}.",
            )


TYPE = arm_type(
    token=SECURITY_GROUP,
    path=f"{PATH}/networkSecurityGroups",
    names="networkSecurityGroupName",
    shape=Shape(
        "resourceGroupName",
        "flushConnection id location networkSecurityGroupName securityRules tags",
        securityRules=Shape(
            "access direction protocol",
            "description destinationAddressPrefix destinationAddressPrefixes destinationApplicationSecurityGroups "
            "destinationPortRange destinationPortRanges etag id name priority provisioningState sourceAddressPrefix "
            "sourceAddressPrefixes sourceApplicationSecurityGroups sourcePortRange sourcePortRanges type",
            access=Text(values=("Allow", "Deny")),
            direction=Text(values=("Inbound", "Outbound")),
            protocol=Text(values=("*", "Ah", "Esp", "Icmp", "Tcp", "Udp")),
        ),
    ),
    complete=_complete,
    pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?$",
    on_delete=_delete,
)
