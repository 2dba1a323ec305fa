"""Generic resources: properties as Azure Resource Manager takes them, also those that no SDK has.

Two types of API Management work like those of their own, with a property besides that the pinned ones lack:

- a backend with `credentials.managedIdentity`: the service takes it, and no published version of its types has it
  (azure-rest-api-specs #32665);
- a diagnostic of an API with `largeLanguageModel`, which the types have from 2024-06-01-preview on.

Every other generic resource is kept as it is given, as one of a type that is not modelled.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from apim_emulator.azure.exceptions import InvalidResourceTypeError
from apim_emulator.azure.providers.apimanagement import PATH, api_diagnostic, backend
from apim_emulator.azure.providers.apimanagement.diagnostics import LLM, check_llm
from apim_emulator.azure.providers.apimanagement.references import as_backend, refuse_while_used
from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.resource_types import ResourceType, Shape, always
from apim_emulator.azure.resource_types.unmodelled import unmodelled_type
from apim_emulator.azure.state import Properties, Resource, State

_PLACE = "parentResourcePath resourceGroupName resourceProviderNamespace resourceType"
_IDENTITY = Shape("resource", "clientId")


def _take_identity(properties: Properties) -> None:
    """Check a backend's identity, and take it out."""
    if isinstance(credentials := properties.get("credentials"), dict) and "managedIdentity" in credentials:
        _IDENTITY.check(credentials.pop("managedIdentity"), "credentials.managedIdentity")


def _take_llm(properties: Properties) -> None:
    """Check what a diagnostic records of language models, and take it out."""
    if (llm := properties.pop(LLM, None)) is not None:
        check_llm(llm)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """A type that a generic resource may have."""

    type: ResourceType
    names: tuple[str, ...]
    """Inputs of the type with the names of the parents, the outermost first, and its own."""
    take: Callable[[Properties], None]
    """Checks what the type itself lacks, and takes it out."""


_KINDS: Mapping[str, _Kind] = {
    f"{PATH}/backends": _Kind(type=backend.TYPE, names=("serviceName", "backendId"), take=_take_identity),
    f"{PATH}/apis/diagnostics": _Kind(
        type=api_diagnostic.TYPE, names=("serviceName", "apiId", "diagnosticId"), take=_take_llm
    ),
}
"""By ARM type."""


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    found = _KINDS.get(_arm_type(inputs))
    if found is None:
        return _unmodelled().create(state, logical_name, inputs)
    return _generic(found.type.create(state, logical_name, _typed(found, inputs)), inputs)


def _update(state: State, resource: Resource, inputs: Properties) -> Resource:
    found = _KINDS.get(_arm_type(inputs))
    if found is None:
        return _updated(_unmodelled(), state, resource, inputs)
    before = Resource(
        id=resource.id, token=found.type.token, inputs=_typed(found, resource.inputs), private=resource.private
    )
    return _generic(_updated(found.type, state, before, _typed(found, inputs)), inputs)


def _updated(kind: ResourceType, state: State, resource: Resource, inputs: Properties) -> Resource:
    return resource if kind.update is None else kind.update(state, resource, inputs)


def is_modelled(inputs: Mapping[str, Any]) -> bool:
    """Tell whether a generic resource has an effect here."""
    return _arm_type(inputs) in _KINDS


def _arm_type(inputs: Mapping[str, Any]) -> str:
    kinds = str(inputs.get("parentResourcePath") or "").strip("/").split("/")[::2]
    return "/".join([str(inputs.get("resourceProviderNamespace")), *kinds, str(inputs.get("resourceType"))])


def _unmodelled() -> ResourceType:
    found = unmodelled_type(RESOURCE)
    if found is None:
        raise InvalidResourceTypeError(f"the resource type {RESOURCE!r} does not exist", RESOURCE)
    return found


def _typed(kind: _Kind, inputs: Properties) -> Properties:
    """Return the inputs of a resource of its own type, checked as those are."""
    properties = deepcopy(inputs.get("properties") or {})
    kind.take(properties)
    names = [*inputs["parentResourcePath"].strip("/").split("/")[1::2], inputs.get("resourceName")]
    given = {
        "resourceGroupName": inputs["resourceGroupName"],
        **dict(zip(kind.names, names, strict=True)),
        **properties,
    }
    given = {name: value for name, value in given.items() if value is not None}
    kind.type.shape.check(given)
    return given


def _generic(made: Resource, inputs: Properties) -> Resource:
    """Make the generic resource of one that its own type has accepted."""
    properties = deepcopy(inputs.get("properties") or {})
    outputs = {"name": made.name, "type": made.outputs["type"], "properties": properties}
    return Resource(
        id=made.id,
        token=RESOURCE,
        inputs={**inputs, "resourceName": made.name},
        outputs=outputs,
        private=made.private,
    )


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
