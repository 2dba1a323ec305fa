"""ARM resource IDs: `/subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}`."""

import pulumi


def name_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Name of the resource: the last segment of its ID."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: value.rsplit("/", 1)[1])


def resource_group_of(resource_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Resource group that holds the resource."""
    return pulumi.Output.from_input(resource_id).apply(lambda value: value.split("/")[4])
