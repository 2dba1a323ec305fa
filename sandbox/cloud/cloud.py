"""The control plane: resources come and go here, and the data plane asks it what there is."""

import re
import threading
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from sandbox.cloud import (
    apimanagement,
    arm,
    authorization,
    azuread,
    cognitiveservices,
    keyvault,
    managedidentity,
    random,
)
from sandbox.cloud.errors import CloudError, not_found
from sandbox.cloud.state import Properties, ResourceType, State
from sandbox.model import Account, Application, Gateway

_SERVICES = (arm, apimanagement, cognitiveservices, keyvault, managedidentity, authorization, azuread, random)

_TYPES: Mapping[str, ResourceType] = {kind.token: kind for service in _SERVICES for kind in service.TYPES}
_INVOKES = {token: invoke for service in _SERVICES for token, invoke in getattr(service, "INVOKES", {}).items()}


def resource_types() -> Mapping[str, ResourceType]:
    """All types that can be created, by token."""
    return _TYPES


def _versionless(token: str) -> str:
    """Token without an API version: `azure-native:apimanagement/v20240501:Api` is the same type here."""
    return re.sub(r"^azure-native:([a-z]+)/v\d{8}\w*:", r"azure-native:\1:", token)


def _given(value: Any) -> Any:
    """Copy without the properties that are null, which is how they are left out."""
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list | tuple) else value


class Cloud:
    """One Azure subscription and its Microsoft Entra tenant.

    Resources are those of Pulumi's azure-native, azuread and random providers: a type token and plain inputs in, an
    ID and outputs out, `CloudError` for what Azure would refuse. Principal and client IDs follow from `seed`; keys
    and client secrets are new in every instance. All methods may be called from any thread.
    """

    def __init__(self, *, seed: str = "sandbox", subscription_id: str | None = None) -> None:
        """Start with an empty subscription, whose ID follows from `seed` where it is left out."""
        self._state = State(seed, subscription_id)
        self._lock = threading.RLock()

    @property
    def tenant_id(self) -> str:
        """Home tenant: that of the subscription, its managed identities and its app registrations."""
        return self._state.tenant_id

    @property
    def subscription_id(self) -> str:
        """Azure subscription that holds all resources."""
        return self._state.subscription_id

    @property
    def deployer_object_id(self) -> str:
        """Object ID of the user who deploys."""
        return self._state.deployer_object_id

    def check(self, token: str, inputs: Mapping[str, Any]) -> None:
        """Refuse an unknown type and missing or unknown properties; values may be unknown."""
        self._type(token).shape.check(inputs)

    def has_location(self, token: str) -> bool:
        """Whether resources of a type are in an Azure region."""
        return "location" in self._type(token).shape.names

    def create(self, token: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, Properties]:
        """Create a resource and return its ID and outputs. `name` is the logical name, for auto-naming.

        Raises `CloudError`; the cloud is then as it was.
        """
        kind = self._type(token)
        given = _given(inputs)
        with self._lock:
            kind.shape.check(given)
            resource = kind.create(self._state, name, given)
            if kind.kept and self._state.find(resource.id) is not resource:
                self._state.add(resource)
            return resource.id, deepcopy(resource.outputs)

    def read(self, token: str, resource_id: str) -> Properties:
        """Return the outputs of a resource that exists."""
        kind = self._type(token)
        with self._lock:
            found = self._state.find(resource_id)
            if found is None or found.token != kind.token:
                raise not_found(kind.token, resource_id)
            return deepcopy(found.outputs)

    def delete(self, resource_id: str) -> None:
        """Delete a resource and all below it, unless something still needs it."""
        with self._lock:
            found = self._state.find(resource_id)
            if found is None:
                raise not_found("resource", resource_id)
            if found.token in _TYPES:
                _TYPES[found.token].on_delete(self._state, found)
            self._state.remove(found.id)

    def call(self, token: str, args: Mapping[str, Any]) -> Properties:
        """Answer an invoke, such as `azure-native:cognitiveservices:listAccountKeys`."""
        invoke = _INVOKES.get(_versionless(token))
        if invoke is None:
            raise CloudError("InvalidRequest", f"the function {token!r} is not modelled", token)
        with self._lock:
            return deepcopy(invoke(self._state, _given(args)))

    def add_caller(self, display_name: str, tenant_id: str | None = None) -> Application:
        """Register an application that calls the gateway, with a client secret, here or in another tenant."""
        with self._lock:
            inputs = {"displayName": display_name, "api": {"requestedAccessTokenVersion": 2}}
            identity = f"caller {display_name}"
            application = azuread.new_application(self._state, identity, inputs, tenant_id or self.tenant_id)
            self._state.add(application)
            client_id = application.outputs["clientId"]
            principal = azuread.new_service_principal(self._state, {"clientId": client_id})
            self._state.add(principal)
            self.create(azuread.PASSWORD, display_name, {"applicationId": application.id})
            return next(found for found in azuread.applications(self._state) if found.client_id == client_id)

    def gateways(self) -> Sequence[Gateway]:
        """All API Management services."""
        with self._lock:
            return apimanagement.gateways(self._state)

    def accounts(self) -> Sequence[Account]:
        """All Azure OpenAI accounts with an endpoint of their own."""
        with self._lock:
            return cognitiveservices.accounts(self._state)

    def applications(self) -> Sequence[Application]:
        """All app registrations of all tenants."""
        with self._lock:
            return azuread.applications(self._state)

    def tenant_ids(self) -> Sequence[str]:
        """All tenants: the home tenant, then those of callers from elsewhere."""
        return tuple(dict.fromkeys([self.tenant_id, *(found.tenant_id for found in self.applications())]))

    def identity_tenant(self, principal_id: str) -> str | None:
        """Tenant of a managed identity, None where there is no such identity."""
        with self._lock:
            return authorization.identity_tenant(self._state, principal_id)

    def has_role(self, principal_id: str, role_id: str, scope: str) -> bool:
        """Whether a principal holds a role (GUID of the definition) on a resource ID or a scope above it."""
        with self._lock:
            return authorization.has_role(self._state, principal_id, role_id, scope)

    def _type(self, token: str) -> ResourceType:
        kind = _TYPES.get(_versionless(token))
        if kind is None:
            raise CloudError("InvalidResourceType", f"the resource type {token!r} is not modelled", token)
        return kind
