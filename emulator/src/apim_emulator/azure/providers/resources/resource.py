"""Generic resources: properties as Azure Resource Manager takes them, also those that no SDK has.

A backend of API Management works like one of its own type, with `credentials.managedIdentity` besides: the service
takes it, and no published version of its types has it (azure-rest-api-specs #32665). Every other generic resource is
kept as it is given, as one of a type that is not modelled.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from apim_emulator.azure.exceptions import InvalidResourceTypeError
from apim_emulator.azure.providers.apimanagement import BACKEND, PATH, backend
from apim_emulator.azure.providers.apimanagement.references import as_backend, refuse_while_used
from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.resource_types import ResourceType, Shape, always
from apim_emulator.azure.resource_types.unmodelled import unmodelled_type
from apim_emulator.azure.state import Properties, Resource, State

_PLACE = "parentResourcePath resourceGroupName resourceProviderNamespace resourceType"
_IDENTITY = Shape("resource", "clientId")


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    if not is_modelled(inputs):
        return _unmodelled().create(state, logical_name, inputs)
    return _generic(backend.TYPE.create(state, logical_name, _typed(inputs)), inputs)


def _update(state: State, resource: Resource, inputs: Properties) -> Resource:
    if not is_modelled(inputs):
        return _updated(_unmodelled(), state, resource, inputs)
    found = Resource(id=resource.id, token=BACKEND, inputs=_typed(resource.inputs))
    return _generic(_updated(backend.TYPE, state, found, _typed(inputs)), inputs)


def _updated(kind: ResourceType, state: State, resource: Resource, inputs: Properties) -> Resource:
    return resource if kind.update is None else kind.update(state, resource, inputs)


def is_modelled(inputs: Mapping[str, Any]) -> bool:
    """Tell whether a generic resource has an effect here."""
    namespace, kind = inputs.get("resourceProviderNamespace"), inputs.get("resourceType")
    parent = str(inputs.get("parentResourcePath")).strip("/").split("/")
    return (namespace, kind, parent[0], len(parent)) == ("Microsoft.ApiManagement", "backends", "service", 2)


def _unmodelled() -> ResourceType:
    found = unmodelled_type(RESOURCE)
    if found is None:
        raise InvalidResourceTypeError(f"the resource type {RESOURCE!r} does not exist", RESOURCE)
    return found


def _typed(inputs: Properties) -> Properties:
    """Return the inputs of a backend of its own type, checked as those are."""
    properties = deepcopy(inputs.get("properties") or {})
    if isinstance(credentials := properties.get("credentials"), dict) and "managedIdentity" in credentials:
        _IDENTITY.check(credentials.pop("managedIdentity"), "credentials.managedIdentity")
    given = {
        "resourceGroupName": inputs["resourceGroupName"],
        "serviceName": inputs["parentResourcePath"].strip("/").split("/")[1],
        "backendId": inputs.get("resourceName"),
        **properties,
    }
    given = {name: value for name, value in given.items() if value is not None}
    backend.TYPE.shape.check(given)
    return given


def _generic(made: Resource, inputs: Properties) -> Resource:
    """Make the generic resource of a backend that its own type has accepted."""
    properties = deepcopy(inputs.get("properties") or {})
    outputs = {"name": made.name, "type": f"{PATH}/backends", "properties": properties}
    return Resource(id=made.id, token=RESOURCE, inputs={**inputs, "resourceName": made.name}, outputs=outputs)


def _on_delete(state: State, resource: Resource) -> None:
    if (found := as_backend(resource)) is not None:
        refuse_while_used(state, found)


TYPE = ResourceType(
    token=RESOURCE,
    shape=Shape(
        f"apiVersion {_PLACE}",
        "extendedLocation identity kind location managedBy plan properties resourceName sku tags",
    ),
    create=_create,
    update=_update,
    immutable=dict.fromkeys([*_PLACE.split(), "resourceName"], always),
    assigned=frozenset({"resourceName"}),
    on_delete=_on_delete,
)
