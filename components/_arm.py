"""ARM resource IDs: `/subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}`."""

import re

import pulumi

_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/[^/]+(?:/[^/]+/[^/]+)+", re.IGNORECASE)


def name_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the name of the resource, the last segment of its ID."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: _checked(value).string.rsplit("/", 1)[1])


def resource_group_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the resource group that holds the resource."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: str(_checked(value)[2]))


def subscription_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the ID of the subscription that holds the resource."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: str(_checked(value)[1]))


def _checked(resource_id: str) -> re.Match[str]:
    match = _ID.fullmatch(resource_id)
    if match is None:
        raise pulumi.RunError(
            f'"{resource_id}" is not a resource ID; allowed: /subscriptions/ID/resourceGroups/GROUP/providers/'
            "NAMESPACE/TYPE/NAME; copy it from the resource's properties"
        )
    return match
