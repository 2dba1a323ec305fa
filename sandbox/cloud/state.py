"""What exists in the cloud: resources by ID, and the subscription and tenant they live in."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud.errors import CloudError
from sandbox.cloud.shape import Shape

Properties = dict[str, Any]
"""Inputs or outputs: camelCase names, plain values."""


@dataclass(slots=True)
class Resource:
    """A resource that exists."""

    id: str
    token: str
    """Pulumi type token without a version."""
    inputs: Properties = field(repr=False)
    outputs: Properties = field(default_factory=dict, repr=False)
    """Properties as the provider returns them: nothing write-only."""
    private: Properties = field(default_factory=dict, repr=False)
    """What the service knows and never returns with the resource, such as keys."""

    @property
    def name(self) -> str:
        """Last segment of the ID."""
        return self.id.rsplit("/", 1)[1]


class State:
    """All resources of a cloud. Azure compares IDs without regard to case, and so does this."""

    def __init__(self, seed: str, subscription_id: str | None = None) -> None:
        """Start empty; the same seed gives the same tenant, subscription and principal IDs."""
        self._seed = seed
        self._resources: dict[str, Resource] = {}
        self._given: Counter[tuple[str, ...]] = Counter()
        self.tenant_id = self.guid("tenant")
        self.subscription_id = subscription_id or self.guid("subscription")
        self.deployer_object_id = self.guid("deployer")
        self.deployer_client_id = self.guid("deployer", "client")

    def guid(self, *parts: str) -> str:
        """GUID that depends on the seed and on `parts` alone."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((self._seed, *parts)).lower()))

    def fresh_guid(self, *parts: str) -> str:
        """GUID as from `guid` when first asked for, and another one each further time."""
        count = self._given[parts]
        self._given[parts] += 1
        return self.guid(*parts, str(count)) if count else self.guid(*parts)

    def add(self, resource: Resource) -> None:
        """Keep a resource whose ID is free."""
        self.require_free(resource.id)
        self._resources[resource.id.lower()] = resource

    def require_free(self, resource_id: str) -> None:
        """Refuse an ID that is taken, as a provider refuses to create what already exists."""
        if resource_id.lower() in self._resources:
            raise CloudError("Conflict", f"cannot create what already exists: {resource_id}", resource_id)

    def find(self, resource_id: str) -> Resource | None:
        """Resource by ID."""
        return self._resources.get(resource_id.rstrip("/").lower())

    def of(self, token: str, under: str = "") -> Iterator[Resource]:
        """Resources of a type, all or those below an ID, in order of creation."""
        prefix = f"{under}/".lower() if under else ""
        return (
            resource
            for key, resource in list(self._resources.items())
            if resource.token == token and key.startswith(prefix)
        )

    def all(self) -> Iterator[Resource]:
        """All resources, in order of creation."""
        return iter(list(self._resources.values()))

    def remove(self, resource_id: str) -> None:
        """Forget a resource and all below it."""
        gone = resource_id.lower()
        self._resources = {
            key: value for key, value in self._resources.items() if key != gone and not key.startswith(f"{gone}/")
        }


Create = Callable[[State, str, Properties], Resource]
Invoke = Callable[[State, Properties], Properties]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceType:
    """A resource type: what it takes and how it comes to be."""

    token: str
    shape: Shape
    create: Create
    """From the state, the logical name and checked inputs to the new resource, not yet kept."""
    kept: bool = True
    """False: a value that lives in the program's state alone, such as a random string."""
    on_delete: Callable[[State, Resource], None] = lambda _state, _resource: None
    """Refuses a deletion that the service refuses, and removes what goes with the resource."""


def text(inputs: Mapping[str, Any], name: str) -> str:
    """Return a required text property; the shape check has seen that it is there."""
    value = inputs[name]
    if not isinstance(value, str) or not value:
        raise CloudError("ValidationError", f"{name} must be a text that is not empty", name)
    return value
