"""Action groups: who is told when an alert fires."""

import re
from collections import Counter

from apim_emulator.azure.providers.monitor import ACTION_GROUP
from apim_emulator.azure.providers.monitor.exceptions import BadRequestError
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_PATH = "Microsoft.Insights/actionGroups"
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_RECEIVERS = (
    "armRoleReceivers automationRunbookReceivers azureAppPushReceivers azureFunctionReceivers emailReceivers "
    "eventHubReceivers incidentReceivers itsmReceivers logicAppReceivers smsReceivers voiceReceivers webhookReceivers"
)


def _complete(_state: State, resource: Resource, _group: Resource) -> None:
    """Check the receivers: each has a name of its own ("Action Groups - Create Or Update"; the words are ours)."""
    receivers = [
        (kind, index, receiver)
        for kind in _RECEIVERS.split()
        for index, receiver in enumerate(resource.inputs.get(kind) or ())
    ]
    names = Counter(str(receiver.get("name")) for _, _, receiver in receivers)
    for kind, index, receiver in receivers:
        if names[str(receiver.get("name"))] > 1:
            raise BadRequestError(
                f"the receiver name {receiver['name']!r} is used twice in the action group", f"{kind}[{index}].name"
            )
    for index, receiver in enumerate(resource.inputs.get("emailReceivers") or ()):
        address = receiver["emailAddress"]
        if not _EMAIL.fullmatch(address):
            raise BadRequestError(f"{address!r} is not a valid email address", f"emailReceivers[{index}].emailAddress")


TYPE = arm_type(
    token=ACTION_GROUP,
    path=_PATH,
    names="actionGroupName",
    shape=Shape(
        "groupShortName resourceGroupName",
        f"actionGroupName enabled identity location tags {_RECEIVERS}",
        emailReceivers=Shape("emailAddress name", "useCommonAlertSchema"),
        groupShortName=Text("^.{1,12}$"),
        identity=Shape("type", "userAssignedIdentities"),
    ),
    complete=_complete,
    pattern=r"^[^/%&?+#<>:*]{1,260}$",
    defaults={"enabled": True},
)

GET = get_function("azure-native:monitor:getActionGroup", _PATH, "actionGroupName")
