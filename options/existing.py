"""Resources that another stack or team owns."""

from dataclasses import dataclass

from options.rules import Rules, guid, matches


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingResource:
    """A resource that another stack or team owns."""

    name: str
    """Name of the resource."""
    resource_group: str
    """Resource group that holds it."""
    subscription_id: str | None = None
    """Subscription that holds the group. Defaults to the one that the stack deploys to."""


VALUES: Rules = {
    "resource_group": (
        matches(
            r"[\w.()-]{0,89}[\w()-]",
            "1 to 90 letters, digits and . _ - ( ), not ending in a dot; name a resource group",
        ),
    ),
    "subscription_id": (guid,),
}
"""Rules on where the resource is. Each kind of resource has its own rule on the name."""
