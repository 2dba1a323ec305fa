"""A tenant and its subscriptions, and what may be asked of them."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from apim_emulator.azure.deployer import Deployer
from apim_emulator.azure.exceptions import PropertyChangeNotAllowedError, ResourceNotFoundError
from apim_emulator.azure.faults import Faults
from apim_emulator.azure.providers import apimanagement, cognitiveservices, redisenterprise
from apim_emulator.azure.providers.apimanagement.data_plane import gateways
from apim_emulator.azure.providers.apimanagement.named_value import due_named_values, refresh_named_values
from apim_emulator.azure.providers.apimanagement.subscription import regenerate_subscription_key
from apim_emulator.azure.providers.applicationinsights.data_plane import components, workbooks
from apim_emulator.azure.providers.authorization.data_plane import has_role, identity_tenant
from apim_emulator.azure.providers.azuread.data_plane import add_caller, add_user, applications, users
from apim_emulator.azure.providers.cognitiveservices.account import regenerate_key
from apim_emulator.azure.providers.cognitiveservices.data_plane import accounts
from apim_emulator.azure.providers.operationalinsights.data_plane import workspaces
from apim_emulator.azure.providers.redisenterprise.database import regenerate_database_key
from apim_emulator.azure.registry import function, resource_type, resource_types
from apim_emulator.azure.resource_types import ResourceType
from apim_emulator.azure.resource_types.diff import Difference, diff
from apim_emulator.azure.resource_types.soft_delete import delete, purge
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.azure.state.store import FileStore, MemoryStore
from apim_emulator.clock import Clock
from apim_emulator.model import Account, Application, Component, Gateway, User, Workspace


def _without_nulls(value: Any) -> Any:
    """Copy without the properties that are null, which is how they are left out."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


_SEED = "sandbox"
"""Part of every ID that follows from a seed: configs may name such IDs, so it stays."""


class Cloud:
    """A Microsoft Entra tenant and its Azure subscriptions: the deployer's own, and others that are added.

    Resources are those of Pulumi's azure-native, azuread and random providers: a type token and plain inputs in, an
    ID and outputs out, `CloudError` for what Azure would refuse. Principal and client IDs follow from `seed`; keys
    and client secrets are new in every cloud. All methods may be called from any thread. Each call sees all that was
    changed before, and changes all or nothing.
    """

    def __init__(
        self,
        store: Path | None = None,
        *,
        seed: str = _SEED,
        subscription_id: str | None = None,
        clock: Clock | None = None,
        faults: Faults | None = None,
        deployer: Deployer = Deployer.DEVELOPER,
    ) -> None:
        """Start with one empty subscription, whose ID follows from `seed` where it is left out.

        With `store` the cloud is in that file, which other processes may open too; it keeps the seed and the
        subscription it was made with. Soft-deleted resources go by `clock`. `deployer` is who asks for everything; see
        `acting_as` for others. Raises `EmulatorError` for a file that does not hold a cloud or cannot be written.
        """
        self._store = FileStore(store, seed, subscription_id) if store else MemoryStore(State(seed, subscription_id))
        self._subscription_id = self._store.state.subscription_id
        self._clock = clock or Clock()
        self._faults = faults or Faults()
        self._deployer = deployer
        self._lock = threading.Lock()

    def acting_as(self, deployer: Deployer) -> "Cloud":
        """Return the same cloud for requests of another deployer."""
        other = copy(self)
        other._deployer = deployer
        return other

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._store.close()

    @property
    def version(self) -> int:
        """Number that grows with every change, whichever process made it; cheap to ask for."""
        self._refresh_due()
        with self._lock:
            self._store.refresh()
            return self._store.version

    @property
    def tenant_id(self) -> str:
        """Home tenant: that of the subscription, its managed identities and its app registrations."""
        return self._store.state.tenant_id

    @property
    def subscription_id(self) -> str:
        """Azure subscription of the deployer, in which resources are that name no other."""
        return self._subscription_id

    @property
    def deployer_object_id(self) -> str:
        """Object ID of who deploys."""
        return self._store.state.object_id(self._deployer)

    def check(self, token: str, inputs: Mapping[str, Any]) -> None:
        """Refuse an unknown type and missing or unknown properties; values may be unknown."""
        resource_type(token).shape.check(inputs)

    def has_location(self, token: str) -> bool:
        """Whether resources of a type are in an Azure region."""
        return "location" in resource_type(token).shape.names

    def is_kept(self, token: str) -> bool:
        """Whether the cloud keeps resources of a type; random values exist in the program's state alone."""
        return resource_type(token).kept

    def add_subscription(self, subscription_id: str) -> None:
        """Give the deployer access to another subscription of the tenant, if it has none yet."""
        with self._changing() as state:
            state.add_subscription(subscription_id)

    def create(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        subscription_id: str | None = None,
        owner: str = "",
        adopt: bool = False,
    ) -> tuple[str, Properties]:
        """Create a resource and return its ID and outputs. `name` is the logical name, for auto-naming.

        `subscription_id` is that of the provider, by default the deployer's own. `owner`, such as a URN, is noted. With
        `adopt`, what the same owner made with the same inputs is returned instead if it has not heard of it: whoever
        created it was killed before it could answer. Each answer is then followed by `note_answered`. Raises
        `CloudError`; the cloud is then as it was.
        """
        kind = resource_type(token)
        given = _without_nulls(inputs)
        kind.shape.check(given)
        if adopt and (found := self._find_created(kind, owner, given, subscription_id)):
            return found.id, deepcopy(found.outputs)
        self._faults.before(kind.token, creating=True)
        with self._changing() as state, state.within(subscription_id):
            resource = kind.create(state, name, given)
            if kind.kept:
                if state.find(resource.id) is not resource:
                    state.require_free(resource.id)
                state.put(replace(resource, owner=owner, unanswered=adopt))
            result = resource.id, deepcopy(resource.outputs)
        self._faults.after()
        return result

    def note_answered(self, resource_id: str) -> None:
        """Note that who asked for a resource knows its ID."""
        with self._changing() as state:
            if (found := state.find(resource_id)) is not None and found.unanswered:
                state.put(replace(found, unanswered=False))

    def update(self, token: str, resource_id: str, inputs: Mapping[str, Any]) -> Properties:
        """Change a resource in place to what new inputs, given in full, ask for, and return its outputs.

        Raises `CloudError` for a change that needs a new resource, see `diff`; the cloud is then as it was.
        """
        kind = resource_type(token)
        given = _without_nulls(inputs)
        kind.shape.check(given)
        self._faults.before(kind.token)
        with self._changing() as state, state.within(_subscription_of(resource_id)):
            found = _existing(state, kind, resource_id)
            given |= {name: found.inputs[name] for name in kind.assigned if name in found.inputs and name not in given}
            if replaced := diff(kind, found.inputs, given).replace:
                raise PropertyChangeNotAllowedError(
                    f"{', '.join(replaced)} of {resource_id} cannot be changed; replace the resource",
                    replaced[0],
                )
            changed = found if kind.update is None else replace(kind.update(state, found, given), owner=found.owner)
            state.put(changed)
            outputs = deepcopy(changed.outputs)
        self._faults.after()
        return outputs

    def diff(self, token: str, old_inputs: Mapping[str, Any], new_inputs: Mapping[str, Any]) -> Difference:
        """Return what changes between inputs, and what of it needs a new resource. Values may be unknown."""
        return diff(resource_type(token), _without_nulls(old_inputs), _without_nulls(new_inputs))

    def read(self, token: str, resource_id: str) -> Properties:
        """Return the outputs of a resource that exists."""
        with self._reading() as state:
            return deepcopy(_existing(state, resource_type(token), resource_id).outputs)

    def owned_by(self, owner: str) -> Sequence[str]:
        """Return the IDs of all that an owner asked for and that exists."""
        with self._reading() as state:
            return [found.id for found in state.all() if found.owner == owner]

    def inputs_of(self, token: str, resource_id: str, known: Mapping[str, Any] | None = None) -> Properties:
        """Return the inputs of a resource that exists, as a refresh or an import reads them.

        What Azure never returns, such as a secret's value, is taken from the `known` inputs or left out.
        """
        kind = resource_type(token)
        with self._reading() as state:
            found = _existing(state, kind, resource_id)
            inputs = deepcopy(found.inputs)
        for path in kind.write_only(inputs):
            _overlay(inputs, known or {}, path.split("."))
        return inputs

    def delete(self, resource_id: str) -> None:
        """Delete a resource and all below it, unless something still needs it.

        API Management services, Azure OpenAI accounts and key vaults are soft-deleted: their names stay taken.
        """
        with self._reading() as state:
            found = state.find(resource_id)
        if found is not None:
            self._faults.before(found.token, deleting=True)
        with self._changing() as state:
            found = state.find(resource_id)
            if found is None:
                raise ResourceNotFoundError("resource", resource_id)
            kinds = resource_types()
            if found.token in kinds:
                kinds[found.token].on_delete(state, found)
            delete(state, kinds, found)
        self._faults.after()

    def purge(self, token: str, name: str) -> None:
        """Delete a soft-deleted resource for good, so that its name is free."""
        with self._changing() as state:
            purge(state, resource_type(token), name)
        self._faults.after()

    def regenerate_key(self, account_id: str, key: str) -> None:
        """Replace `key1` or `key2` of an account, as people do from time to time; the old key stops working at once."""
        with self._changing() as state:
            regenerate_key(state, _existing(state, resource_type(cognitiveservices.ACCOUNT), account_id), key)
        self._faults.after()

    def regenerate_database_key(self, database_id: str, key: str) -> None:
        """Replace the `Primary` or `Secondary` key of a Redis database; the old one stops working at once."""
        with self._changing() as state:
            database = _existing(state, resource_type(redisenterprise.DATABASE), database_id)
            regenerate_database_key(state, database, key)
        self._faults.after()

    def regenerate_subscription_key(self, subscription_id: str, key: str) -> None:
        """Replace the `primary` or `secondary` key of an API Management subscription; the old one is dead at once."""
        with self._changing() as state:
            found = _existing(state, resource_type(apimanagement.SUBSCRIPTION), subscription_id)
            regenerate_subscription_key(state, found, key)
        self._faults.after()

    def invoke(self, token: str, args: Mapping[str, Any], *, subscription_id: str | None = None) -> Properties:
        """Answer an invoke, such as `azure-native:cognitiveservices:listAccountKeys`.

        It finds only what is in the provider's subscription, by default the deployer's own.
        """
        found = function(token)
        with self._reading() as state, state.within(subscription_id):
            return deepcopy(found.call(state, _without_nulls(args)))

    def add_caller(self, display_name: str, tenant_id: str | None = None) -> Application:
        """Register an application that calls the gateway, with a client secret, here or in another tenant.

        One that is registered already is returned as it is.
        """
        with self._changing() as state:
            return add_caller(state, display_name, tenant_id or state.tenant_id)

    def add_user(self, name: str) -> User:
        """Add a person with a password, by user principal name; one who is there already is returned as is."""
        with self._changing() as state:
            return add_user(state, name)

    def gateways(self) -> Sequence[Gateway]:
        """All API Management services."""
        self._refresh_due()
        with self._reading() as state:
            return gateways(state)

    def accounts(self) -> Sequence[Account]:
        """All Azure OpenAI accounts with an endpoint of their own."""
        with self._reading() as state:
            return accounts(state)

    def workspaces(self) -> Sequence[Workspace]:
        """All Log Analytics workspaces."""
        with self._reading() as state:
            return workspaces(state)

    def components(self) -> Sequence[Component]:
        """All Application Insights components."""
        with self._reading() as state:
            return components(state)

    def workbooks(self) -> Sequence[str]:
        """Content of all workbooks, as JSON."""
        with self._reading() as state:
            return workbooks(state)

    def applications(self) -> Sequence[Application]:
        """All app registrations of all tenants."""
        with self._reading() as state:
            return applications(state)

    def users(self) -> Sequence[User]:
        """All people with a password."""
        with self._reading() as state:
            return users(state)

    def tenant_ids(self) -> Sequence[str]:
        """All tenants: the home tenant, then those of callers from elsewhere."""
        return tuple(dict.fromkeys([self.tenant_id, *(found.tenant_id for found in self.applications())]))

    def identity_tenant(self, principal_id: str) -> str | None:
        """Tenant of a managed identity, None where there is no such identity."""
        with self._reading() as state:
            return identity_tenant(state, principal_id)

    def has_role(self, principal_id: str, role_id: str, scope: str) -> bool:
        """Whether a principal holds a role (GUID of the definition) on a resource ID or a scope above it."""
        with self._reading() as state:
            return has_role(state, principal_id, role_id, scope)

    def _refresh_due(self) -> None:
        """Let the services do what is due, such as reading secrets again."""
        with self._reading() as state:
            due = bool(due_named_values(state))
        if due:
            with self._changing():
                pass

    def _find_created(
        self, kind: ResourceType, owner: str, given: Properties, subscription_id: str | None
    ) -> Resource | None:
        """Find what an owner has not heard of and asked for with these inputs, apart from what they left out.

        One in another subscription is another resource, unless its `scope` puts it there.
        """
        places = {None, (subscription_id or self.subscription_id).lower()}
        with self._reading() as state:
            for found in state.of(kind.token):
                here = "scope" in given or _subscription_of(found.id.lower()) in places
                unheard = found.unanswered and owner and found.owner == owner
                if here and unheard and not diff(kind, found.inputs, given).changed:
                    return found
        return None

    def _current(self) -> State:
        state = self._store.state
        state.deployer = self._deployer
        state.now, state.role_delay = self._clock.now(), self._faults.role_delay * self._faults.time_scale
        return state

    @contextmanager
    def _reading(self) -> Iterator[State]:
        with self._lock:
            self._store.refresh()
            yield self._current()

    @contextmanager
    def _changing(self) -> Iterator[State]:
        with self._lock, self._store.change():
            state = self._current()
            state.expire(state.now)
            refresh_named_values(state)
            yield state


def _subscription_of(resource_id: str) -> str | None:
    """Subscription in a resource ID: a provider reads, updates and deletes by the ID alone."""
    found = re.match(r"/subscriptions/([^/]+)/", resource_id, re.IGNORECASE)
    return found[1] if found else None


def _existing(state: State, kind: ResourceType, resource_id: str) -> Resource:
    found = state.find(resource_id)
    if found is None or found.token != kind.token:
        raise ResourceNotFoundError(kind.token, resource_id)
    return found


def _overlay(inputs: Properties, known: Mapping[str, Any], path: Sequence[str]) -> None:
    """Replace the value at a path by the known one, or leave it out."""
    name, *rest = path
    if rest:
        if isinstance(inputs.get(name), dict):
            inner = known.get(name)
            _overlay(inputs[name], inner if isinstance(inner, Mapping) else {}, rest)
    elif known.get(name) is None:
        inputs.pop(name, None)
    else:
        inputs[name] = deepcopy(known[name])
