"""What exists in the cloud: resources by ID, and the subscriptions and the tenant they live in."""

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.exceptions import ConflictError, SubscriptionNotFoundError
from apim_emulator.azure.state.resource import Resource

SUBSCRIPTION = "azure-native:subscription:Subscription"
"""Token of the subscriptions beside the deployer's own."""


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
        """Subscription that a request is about: the deployer's own, except `within` another one."""
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
        """Run the block in another subscription; None is the deployer's own.

        Refuses one that the deployer cannot see, in Azure Resource Manager's words (as azure-cli #33657 quotes them).
        """
        own = self.subscription_id
        if subscription_id is not None and not self.has_subscription(subscription_id):
            raise SubscriptionNotFoundError(f"The subscription {subscription_id!r} could not be found.")
        self.subscription_id = subscription_id or own
        try:
            yield
        finally:
            self.subscription_id = own

    def has_subscription(self, subscription_id: str) -> bool:
        """Whether the deployer has access to a subscription."""
        wanted = subscription_id.lower()
        return wanted == self.subscription_id.lower() or f"/subscriptions/{wanted}" in self.resources

    def add_subscription(self, subscription_id: str) -> None:
        """Give the deployer access to another subscription, if it has none yet."""
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
            raise ConflictError(f"cannot create already existing resource '{resource_id}'", resource_id)

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
