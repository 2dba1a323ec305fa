"""A resource that exists."""

from dataclasses import dataclass, field
from typing import Any

Properties = dict[str, Any]
"""Inputs or outputs: camelCase names, plain values."""


@dataclass(slots=True)
class Resource:
    """A resource that exists. Once the state has it, it is never changed but replaced by a changed copy."""

    id: str
    token: str
    """Pulumi type token without a version."""
    inputs: Properties = field(repr=False)
    """What was asked for, with the names and the location that it got where they were left out."""
    outputs: Properties = field(default_factory=dict, repr=False)
    """Properties as the provider returns them: nothing write-only."""
    private: Properties = field(default_factory=dict, repr=False)
    """What the service knows and never returns with the resource, such as keys."""
    owner: str = ""
    """Who asked for it, such as a URN."""
    unanswered: bool = False
    """Whether who asked for it may not have heard that it exists."""
    purge_at: float | None = None
    """Unix time in seconds at which a soft-deleted resource is gone for good."""

    @property
    def name(self) -> str:
        """Last segment of the ID."""
        return self.id.rsplit("/", 1)[1]
