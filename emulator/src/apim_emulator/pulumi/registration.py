"""What a program asks of the engine: resources to create, to look up, or to group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A resource as the program registered it."""

    type: str
    name: str
    urn: str = ""
    parent: str = ""
    """URN of the parent."""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Plain values: secrets are themselves, unknown ones `UNKNOWN`."""
    secret_inputs: frozenset[str] = frozenset()
    """Inputs that are, or inside have, a secret."""
    dependencies: frozenset[str] = frozenset()
    """URNs of the resources that it waits for, by `depends_on` or through an input."""
    ignore_changes: frozenset[str] = frozenset()
    """Inputs whose changes the engine ignores, such as `properties.model.version`."""
    aliases: frozenset[str] = frozenset()
    """Names or URNs that it had before; an empty text is one whose type alone changed."""
    custom: bool = True
    """False: a component."""
    provider: str = ""
    """URN of the provider it was given. Empty: the default provider."""
    read: bool = False
    """Whether it was looked up or imported rather than created."""
    replacement_trigger: Any = None
    """Value of which a change makes the engine replace it."""
    deleted_with: str = ""
    """URN of the resource whose deletion takes it along."""
    protected: bool = False
    """Whether the engine refuses to delete or replace it."""
    retained: bool = False
    """Whether it stays in the cloud when the stack lets go of it."""
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_outputs: frozenset[str] = frozenset()

    @property
    def owned(self) -> bool:
        """Whether the stack owns it: a resource of the cloud that was created."""
        return self.custom and not self.read and not self.type.startswith("pulumi:")
