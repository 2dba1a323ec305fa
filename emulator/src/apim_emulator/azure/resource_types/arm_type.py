"""Azure Resource Manager: resource IDs, parents, names, and what all of its resources have in common."""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

from apim_emulator.azure.exceptions import (
    CodedError,
    ParentResourceNotFoundError,
    ResourceGroupNotFoundError,
    ResourceNotFoundError,
)
from apim_emulator.azure.resource_types.resource_type import (
    Function,
    Replaces,
    ResourceType,
    SoftDelete,
    always,
    required_text,
)
from apim_emulator.azure.resource_types.shape import Shape, Text
from apim_emulator.azure.resource_types.soft_delete import restored
from apim_emulator.azure.state import Properties, Resource, State

Complete = Callable[[State, Resource, Resource], None]
"""Checks a new or changed resource against the cloud and adds its outputs: state, resource, parent.

A changed one comes with what the service knows of it; what the cloud still has under its ID is what it was before.
"""


def arm_type(
    token: str,
    path: str,
    names: str,
    shape: Shape,
    complete: Complete,
    *,
    pattern: str = "",
    write_only: Callable[[Properties], Collection[str]] = lambda _inputs: (),
    immutable: Mapping[str, Replaces] | None = None,
    defaults: Mapping[str, Any] | None = None,
    unique_in_azure: type[CodedError] | None = None,
    soft_delete: SoftDelete | None = None,
    on_delete: Callable[[State, Resource], None] = lambda _state, _resource: None,
) -> ResourceType:
    """Describe a type at ARM `path`, such as `Microsoft.KeyVault/vaults/secrets`.

    `names` are the inputs with the name of each segment of the path, the resource's own last; `pattern` is what that
    one must match. `unique_in_azure` refuses a name that somebody in Azure already has; other names are
    unique below their parent. Whatever is part of the ID cannot change, nor can the location; `immutable` adds to
    them. The rest are the fields of `ResourceType`.
    """
    provider, *segments = path.split("/")
    parameters = names.split()
    own = parameters[-1]
    between = f"/providers/{provider}" if len(segments) == 1 else ""
    has_location = "location" in shape.names
    name_shape = Text(pattern)
    shape = Shape(" ".join(shape.required), " ".join(shape.names), **{own: name_shape} | dict(shape.inside))

    def create(state: State, logical_name: str, inputs: Properties) -> Resource:
        parent = _parent(state, provider, segments, parameters, inputs)
        name = required_text(inputs, own) if inputs.get(own) is not None else auto_name(state, token, logical_name)
        name_shape.check(name, own)
        resource = Resource(id=f"{parent.id}{between}/{segments[-1]}/{name}", token=token, inputs={**inputs, own: name})
        if unique_in_azure and any(other.name.lower() == name.lower() for other in state.of(token)):
            raise unique_in_azure(f"the name {name!r} is already in use", own)
        state.require_free(resource.id)
        if soft_delete is not None and (found := restored(state, soft_delete, resource)):
            return found
        fill(state, resource, parent)
        return resource

    def update(state: State, resource: Resource, inputs: Properties) -> Resource:
        parent = state.find(resource.id.removesuffix(f"{between}/{segments[-1]}/{resource.name}"))
        if parent is None:
            raise ResourceNotFoundError("the parent of", resource.id)
        changed = Resource(id=resource.id, token=token, inputs=inputs, private=dict(resource.private))
        fill(state, changed, parent)
        return changed

    def fill(state: State, resource: Resource, parent: Resource) -> None:
        if has_location and resource.inputs.get("location") is None:
            resource.inputs["location"] = parent.outputs["location"]
        hidden = {"resourceGroupName", *parameters, *write_only(resource.inputs)}
        resource.outputs = {key: deepcopy(value) for key, value in resource.inputs.items() if key not in hidden}
        resource.outputs |= {"name": resource.name, "type": path}
        complete(state, resource, parent)

    fixed = ["resourceGroupName", *parameters, *(["location"] if has_location else [])]
    return ResourceType(
        token=token,
        shape=shape,
        create=create,
        update=update,
        immutable=dict.fromkeys(fixed, always) | dict(immutable or {}),
        assigned=frozenset({own, *fixed[len(parameters) + 1 :]}),
        defaults=defaults or {},
        write_only=write_only,
        soft_delete=soft_delete,
        on_delete=on_delete,
    )


def _parent(state: State, provider: str, segments: list[str], parameters: list[str], inputs: Properties) -> Resource:
    group = resource_group(state, required_text(inputs, "resourceGroupName"))
    parent = group
    for depth, (segment, parameter) in enumerate(zip(segments[:-1], parameters[:-1], strict=True)):
        between = f"/providers/{provider}" if depth == 0 else ""
        resource_id = f"{parent.id}{between}/{segment}/{required_text(inputs, parameter)}"
        found = state.find(resource_id)
        if found is None:
            raise ParentResourceNotFoundError(f"the parent resource {resource_id} was not found", parameter)
        parent = found
    return parent


def auto_name(state: State, token: str, logical_name: str) -> str:
    """Name for a resource that gave none: the logical name and 8 hex digits, as Pulumi's auto-naming."""
    return f"{logical_name}{state.fresh_guid('name', token, logical_name)[:8]}"


def resource_group(state: State, name: str) -> Resource:
    """Resource group of the subscription that the request is about."""
    group = state.find(f"/subscriptions/{state.subscription_id}/resourceGroups/{name}")
    if group is None:
        raise ResourceGroupNotFoundError(f"Resource group {name!r} could not be found.", "resourceGroupName")
    return group


def existing(state: State, path: str, args: Mapping[str, Any], names: str) -> Resource:
    """Resource at ARM `path` that a function asks for by `names`, the arguments with the name of each segment."""
    provider, top, *segments = path.split("/")
    parameter, *parameters = names.split()
    group = resource_group(state, required_text(args, "resourceGroupName"))
    resource_id = f"{group.id}/providers/{provider}/{top}/{required_text(args, parameter)}"
    found = state.find(resource_id)
    if found is None:
        raise ResourceNotFoundError(f"{provider}/{top}", resource_id, parameter)
    for segment, name in zip(segments, parameters, strict=True):
        child = state.find(f"{found.id}/{segment}/{required_text(args, name)}")
        if child is None:
            raise ResourceNotFoundError(segment, args[name], name)
        found = child
    return found


def described(resource: Resource) -> Properties:
    """Describe a resource as a `get` invoke returns it."""
    return {"id": resource.id, **resource.outputs}


def get_function(token: str, path: str, names: str) -> Function:
    """Describe the function that gets a resource at ARM `path` by its `names`, see `existing`."""
    return Function(token, lambda state, args: described(existing(state, path, args, names)))
