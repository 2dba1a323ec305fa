"""What exists in the cloud: resources by ID, and the subscriptions and the tenant they live in."""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.errors import CloudError
from apim_emulator.azure.shape import Shape

Properties = dict[str, Any]
"""Inputs or outputs: camelCase names, plain values."""

SUBSCRIPTION = "azure-native:subscription:Subscription"
"""Token of the subscriptions beside the deployer's own."""


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
    """Whoever asked for it, such as a URN."""
    purge_at: float | None = None
    """Unix time in seconds at which a soft-deleted resource is gone for good."""

    @property
    def name(self) -> str:
        """Last segment of the ID."""
        return self.id.rsplit("/", 1)[1]


class State:
    """All resources of a cloud. Azure compares IDs without regard to case, and so does this."""

    def __init__(self, seed: str, subscription_id: str | None = None) -> None:
        """Start empty; the same seed gives the same tenant, subscription and principal IDs."""
        self.seed = seed
        self.resources: dict[str, Resource] = {}
        """Resources that exist, by ID in lower case, in order of creation."""
        self.deleted: dict[str, Resource] = {}
        """Soft-deleted resources, likewise."""
        self.given: Counter[tuple[str, ...]] = Counter()
        """How often each GUID was asked for, see `fresh_guid`."""
        self.tenant_id = self.guid("tenant")
        self.subscription_id = subscription_id or self.guid("subscription")
        """Subscription that a request is about: the deployer's own, but `within` another one."""
        self.deployer = Deployer.DEVELOPER
        """Who asks; not kept."""
        self.deployer_client_id = self.guid("deployer", "client")
        self.now = 0.0
        """Unix time of the call that is under way."""
        self.role_delay = 0.0
        """Seconds until a role that is assigned now has an effect."""

    @property
    def deployer_object_id(self) -> str:
        """Object ID of who asks."""
        return self.object_id(self.deployer)

    def object_id(self, deployer: Deployer) -> str:
        """Object ID of a principal that deploys."""
        return self.guid("deployer", *([] if deployer is Deployer.DEVELOPER else [deployer]))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undo all changes if the block raises."""
        saved = dict(self.resources), dict(self.deleted), self.given.copy()
        try:
            yield
        except BaseException:
            self.resources, self.deleted, self.given = saved
            raise

    @contextmanager
    def within(self, subscription_id: str | None) -> Iterator[None]:
        """Let the block be about another subscription; None is the deployer's own.

        Refuses one that the deployer cannot see, in Azure Resource Manager's words (as azure-cli #33657 quotes them).
        """
        own = self.subscription_id
        if subscription_id is not None and not self.has_subscription(subscription_id):
            raise CloudError("SubscriptionNotFound", f"The subscription {subscription_id!r} could not be found.")
        self.subscription_id = subscription_id or own
        try:
            yield
        finally:
            self.subscription_id = own

    def has_subscription(self, subscription_id: str) -> bool:
        """Whether the deployer can see a subscription."""
        wanted = subscription_id.lower()
        return wanted == self.subscription_id.lower() or f"/subscriptions/{wanted}" in self.resources

    def add_subscription(self, subscription_id: str) -> None:
        """Let the deployer see another subscription, if it is not seen yet."""
        if not self.has_subscription(subscription_id):
            self.put(Resource(id=f"/subscriptions/{subscription_id}", token=SUBSCRIPTION, inputs={}))

    def guid(self, *parts: str) -> str:
        """GUID that depends on the seed and on `parts` alone."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((self.seed, *parts)).lower()))

    def fresh_guid(self, *parts: str) -> str:
        """GUID as from `guid` when first asked for, and another one each further time."""
        count = self.given[parts]
        self.given[parts] += 1
        return self.guid(*parts, str(count)) if count else self.guid(*parts)

    def add(self, resource: Resource) -> None:
        """Keep a resource whose ID is free."""
        self.require_free(resource.id)
        self.put(resource)

    def put(self, resource: Resource) -> None:
        """Keep a new resource, or a changed copy in place of the one with its ID."""
        self.resources[resource.id.lower()] = resource

    def require_free(self, resource_id: str) -> None:
        """Refuse an ID that is taken: pulumi-azure-native reads what it is to create before it writes (`CanCreate`)."""
        if resource_id.lower() in self.resources:
            raise CloudError("Conflict", f"cannot create already existing resource '{resource_id}'", resource_id)

    def find(self, resource_id: str) -> Resource | None:
        """Resource by ID."""
        return self.resources.get(resource_id.rstrip("/").lower())

    def of(self, token: str, under: str = "") -> Iterator[Resource]:
        """Resources of a type, all or those below an ID, in order of creation."""
        prefix = f"{under}/".lower() if under else ""
        return (
            resource
            for key, resource in list(self.resources.items())
            if resource.token == token and key.startswith(prefix)
        )

    def others(self, resource: Resource, under: str = "") -> Iterator[Resource]:
        """Resources of the same type, without the resource itself."""
        return (other for other in self.of(resource.token, under) if other.id.lower() != resource.id.lower())

    def all(self, under: str = "") -> Iterator[Resource]:
        """All resources, or one and all below it, in order of creation."""
        top = under.lower()
        return iter([found for key, found in self.resources.items() if not top or f"{key}/".startswith(f"{top}/")])

    def remove(self, resource_id: str) -> None:
        """Forget a resource and all below it."""
        for gone in self.all(resource_id):
            del self.resources[gone.id.lower()]

    def soft_delete(self, resource: Resource, purge_at: float) -> None:
        """Move a resource and all below it to where only a restore or a purge reaches it."""
        for gone in self.all(resource.id):
            self.deleted[gone.id.lower()] = replace(gone, purge_at=purge_at)
        self.remove(resource.id)

    def restore(self, resource: Resource) -> Resource:
        """Bring back a soft-deleted resource and all below it that went with it, and return it."""
        for found in self._all_deleted(resource.id):
            if found.purge_at == resource.purge_at:
                del self.deleted[found.id.lower()]
                self.put(replace(found, purge_at=None))
        return self.resources[resource.id.lower()]

    def purge(self, resource: Resource) -> None:
        """Forget a soft-deleted resource and all below it."""
        for gone in self._all_deleted(resource.id):
            del self.deleted[gone.id.lower()]

    def expire(self, now: float) -> None:
        """Forget all soft-deleted resources whose time has come."""
        self.deleted = {key: found for key, found in self.deleted.items() if (found.purge_at or 0) > now}

    def _all_deleted(self, under: str) -> list[Resource]:
        top = f"{under}/".lower()
        return [found for key, found in self.deleted.items() if f"{key}/".startswith(top)]


Create = Callable[[State, str, Properties], Resource]
Update = Callable[[State, Resource, Properties], Resource]
Invoke = Callable[[State, Properties], Properties]

OnDelete = Callable[[State, Resource], None]


def _nothing(_state: State, _resource: Resource) -> None:
    """Delete without further ado."""


Replaces = Callable[[Any, Any], bool]
"""Whether a property's change from one value to another needs a new resource; None stands for left out."""


def always(_old: Any, _new: Any) -> bool:
    """Replace on any change."""
    return True


def once_set(old: Any, _new: Any) -> bool:
    """Let what was left out be given later, once."""
    return old is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftDelete:
    """How a service keeps what was deleted, so that the name stays taken until it is purged or its time is over."""

    retention: Callable[[Resource], float]
    """Seconds for which a resource is kept."""
    asked: Callable[[Properties], bool]
    """Whether the inputs of a new resource ask to restore the deleted one."""
    taken: Callable[[Resource], CloudError]
    """Refusal of a new resource with the name of a deleted one."""
    absent: Callable[[Resource], CloudError]
    """Refusal to restore what was not deleted."""
    protected: Callable[[Resource], CloudError | None] = lambda _resource: None
    """Refusal to purge, where there is one."""
    everywhere: bool = True
    """Whether the name stays taken in all of Azure; False: below the parent alone."""
    recovers: Callable[[State, Resource], bool] = lambda _state, _resource: False
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


def fixed(
    token: str, shape: Shape, create: Create, *, kept: bool = True, on_delete: OnDelete = _nothing
) -> ResourceType:
    """Describe a type none of whose properties can change in place."""
    immutable = dict.fromkeys(shape.names, always)
    return ResourceType(token=token, shape=shape, create=create, immutable=immutable, kept=kept, on_delete=on_delete)


def text(inputs: Mapping[str, Any], name: str) -> str:
    """Return a required text property; the shape check has seen that it is there."""
    value = inputs[name]
    if not isinstance(value, str) or not value:
        raise CloudError("ValidationError", f"{name} must be a text that is not empty", name)
    return value
