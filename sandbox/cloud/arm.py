"""Azure Resource Manager: resource IDs, parents, names, and what every ARM resource has in common."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sandbox.cloud.errors import CloudError, invalid, not_found
from sandbox.cloud.shape import Shape
from sandbox.cloud.state import Properties, Resource, ResourceType, State, text

RESOURCE_GROUP = "azure-native:resources:ResourceGroup"

Complete = Callable[[State, Resource, Resource], None]
"""Checks a new resource against the cloud and adds its outputs: state, resource, parent."""


def arm_type(
    token: str,
    path: str,
    names: str,
    shape: Shape,
    complete: Complete,
    *,
    pattern: str | None = None,
    write_only: Collection[str] = (),
    unique_in_azure: str | None = None,
    on_delete: Callable[[State, Resource], None] = lambda _state, _resource: None,
) -> ResourceType:
    """Describe a type at ARM `path`, such as `Microsoft.KeyVault/vaults/secrets`.

    `names` are the inputs with the name of each segment of the path, the resource's own last; `pattern` is what that
    one must match. `unique_in_azure` is the error code of a name that somebody in Azure already has; other names are
    unique below their parent.
    """
    provider, *segments = path.split("/")
    parameters = names.split()
    own = parameters[-1]
    hidden = {"resourceGroupName", *parameters, *write_only}

    def create(state: State, logical_name: str, inputs: Properties) -> Resource:
        parent = _parent(state, provider, segments, parameters, inputs)
        name = text(inputs, own) if inputs.get(own) is not None else auto_name(state, token, logical_name)
        if pattern and not re.search(pattern, name):
            raise invalid(f"{own} {name!r} does not match {pattern}", own)
        if unique_in_azure and any(other.name.lower() == name.lower() for other in state.of(token)):
            raise CloudError(unique_in_azure, f"the name {name!r} is already in use", own)
        between = f"/providers/{provider}" if len(segments) == 1 else ""
        resource = Resource(id=f"{parent.id}{between}/{segments[-1]}/{name}", token=token, inputs=inputs)
        state.require_free(resource.id)
        resource.outputs = {key: value for key, value in inputs.items() if key not in hidden}
        resource.outputs |= {"name": name, "type": path}
        if "location" in shape.names and inputs.get("location") is None:
            resource.outputs["location"] = parent.outputs["location"]
        complete(state, resource, parent)
        return resource

    return ResourceType(token=token, shape=shape, create=create, on_delete=on_delete)


def _parent(state: State, provider: str, segments: list[str], parameters: list[str], inputs: Properties) -> Resource:
    group = resource_group(state, text(inputs, "resourceGroupName"))
    parent = group
    for depth, (segment, parameter) in enumerate(zip(segments[:-1], parameters[:-1], strict=True)):
        between = f"/providers/{provider}" if depth == 0 else ""
        resource_id = f"{parent.id}{between}/{segment}/{text(inputs, parameter)}"
        found = state.find(resource_id)
        if found is None:
            raise CloudError("ParentResourceNotFound", f"the parent resource {resource_id} was not found", parameter)
        parent = found
    return parent


def auto_name(state: State, token: str, logical_name: str) -> str:
    """Name for a resource that gave none: the logical name and 8 hex digits, as Pulumi's auto-naming."""
    return f"{logical_name}{state.fresh_guid('name', token, logical_name)[:8]}"


def resource_group(state: State, name: str) -> Resource:
    """Resource group of the subscription."""
    group = state.find(f"/subscriptions/{state.subscription_id}/resourceGroups/{name}")
    if group is None:
        raise CloudError("ResourceGroupNotFound", f"resource group {name!r} was not found", "resourceGroupName")
    return group


def existing(state: State, path: str, args: Mapping[str, Any], name: str) -> Resource:
    """Top-level resource that an invoke asks for by group and name."""
    group = resource_group(state, text(args, "resourceGroupName"))
    resource_id = f"{group.id}/providers/{path}/{text(args, name)}"
    found = state.find(resource_id)
    if found is None:
        raise not_found(path, resource_id, name)
    return found


def described(resource: Resource) -> Properties:
    """Describe a resource as a `get` invoke returns it."""
    return {"id": resource.id, **resource.outputs}


def _create_group(state: State, logical_name: str, inputs: Properties) -> Resource:
    name = inputs.get("resourceGroupName") or auto_name(state, RESOURCE_GROUP, logical_name)
    if not re.search(r"^[-\w\._\(\)]{1,90}$", name):
        raise invalid(f"resourceGroupName {name!r} does not match ^[-\\w\\._\\(\\)]{{1,90}}$", "resourceGroupName")
    if inputs.get("location") is None:
        raise CloudError("LocationRequired", "location is missing; set it, or azure-native:location", "location")
    resource_id = f"/subscriptions/{state.subscription_id}/resourceGroups/{name}"
    outputs = {key: value for key, value in inputs.items() if key != "resourceGroupName"}
    outputs |= {
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }
    return Resource(id=resource_id, token=RESOURCE_GROUP, inputs=inputs, outputs=outputs)


TYPES = (
    ResourceType(
        token=RESOURCE_GROUP,
        shape=Shape(optional="location managedBy resourceGroupName tags"),
        create=_create_group,
    ),
)
