"""What another stack or team owns."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingResource:
    """A resource that another stack or team owns."""

    name: str
    """Name of the resource."""
    resource_group: str
    """Resource group that holds it."""
