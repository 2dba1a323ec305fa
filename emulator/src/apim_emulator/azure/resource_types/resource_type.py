"""What a resource provider declares: resource types and functions."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from apim_emulator.azure.exceptions import CloudError, ValidationError
from apim_emulator.azure.resource_types.shape import Shape
from apim_emulator.azure.state import Properties, Resource, State

Create = Callable[[State, str, Properties], Resource]

Update = Callable[[State, Resource, Properties], Resource]

OnDelete = Callable[[State, Resource], None]


def _nothing(_state: State, _resource: Resource) -> None:
    """Let the deletion go ahead."""


Replaces = Callable[[Any, Any], bool]
"""Whether a property's change from one value to another needs a new resource; None stands for left out."""


def always(_old: Any, _new: Any) -> bool:
    """Replace on any change."""
    return True


def once_set(old: Any, _new: Any) -> bool:
    """Allow a value where there was none, and no other value after that."""
    return old is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftDelete:
    """How a service keeps what was deleted, so that the name stays taken until it is purged or its time is over."""

    retention: Callable[[Resource], float]
    """Seconds for which a resource is kept."""
    asks_to_restore: Callable[[Properties], bool]
    """Whether the inputs of a new resource ask to restore the deleted one."""
    name_taken: Callable[[Resource], CloudError]
    """Refusal of a new resource with the name of a deleted one."""
    not_deleted: Callable[[Resource], CloudError]
    """Refusal to restore what was not deleted."""
    purge_refused: Callable[[Resource], CloudError | None] = lambda _resource: None
    """Refusal to purge, where there is one."""
    global_name: bool = True
    """Whether the name stays taken in all of Azure; False: below the parent alone."""
    recovered_unasked: Callable[[State, Resource], bool] = lambda _state, _resource: False
    """Whether the provider recovers a deleted resource unasked, and then writes the new one over it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceType:
    """A resource type: what it takes and how it comes to be and to change."""

    token: str
    shape: Shape
    create: Create
    """From the state, the logical name and checked inputs to the new resource, not yet kept."""
    update: Update | None = None
    """From the state, the resource and checked inputs to its changed copy, not yet kept. None: nothing can change."""
    immutable: Mapping[str, Replaces] = field(default_factory=dict)
    """Paths of the properties that cannot always change in place, such as `sku.name`, and when a change replaces."""
    assigned: frozenset[str] = frozenset()
    """Properties that the provider fills in where they are left out: the name, the location."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Values that stand for properties left out, by path; SDKs send them unasked."""
    write_only: Callable[[Properties], Collection[str]] = lambda _inputs: ()
    """Paths of those of the given inputs that reading the resource does not return."""
    kept: bool = True
    """False: a value that lives in the program's state alone, such as a random string."""
    soft_delete: SoftDelete | None = None
    on_delete: OnDelete = _nothing
    """Refuses a deletion that the service refuses, and removes what goes with the resource."""


def immutable_type(
    token: str, shape: Shape, create: Create, *, kept: bool = True, on_delete: OnDelete = _nothing
) -> ResourceType:
    """Describe a type none of whose properties can change in place."""
    immutable = dict.fromkeys(shape.names, always)
    return ResourceType(token=token, shape=shape, create=create, immutable=immutable, kept=kept, on_delete=on_delete)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a provider, which a program calls as an invoke."""

    token: str
    call: Callable[[State, Properties], Properties]
    """From the state and the arguments to the result; it changes nothing."""


def required_text(inputs: Mapping[str, Any], name: str) -> str:
    """Return a required text property; the shape check has seen that it is there."""
    value = inputs[name]
    if not isinstance(value, str) or not value:
        raise ValidationError(f"{name} must be a text that is not empty", name)
    return value
