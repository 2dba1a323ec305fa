"""Resource types that the emulator does not model: kept as they are given, and without any effect.

A program may have resources that nothing here is about, such as Application Insights, a network or a storage account.
They get an ID of Azure Resource Manager's shape, the outputs that their inputs say, and for every other text that
Azure would decide a GUID of their own; so whatever refers to them has something to refer to. What an ID is made of is
inferred from the SDK's inputs, since no SDK has the paths.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cache
from typing import Any

from pulumi import _types

from apim_emulator.azure.exceptions import CloudError, ResourceNotFoundError
from apim_emulator.azure.providers.managedidentity.identities import attach_identities
from apim_emulator.azure.resource_types import sdk
from apim_emulator.azure.resource_types.resource_type import Function, ResourceType, always
from apim_emulator.azure.resource_types.shape import Shape
from apim_emulator.azure.state import Properties, Resource, State

_NAMESPACES = {
    "applicationinsights": "Insights",
    "dns": "Network",
    "monitor": "Insights",
    "privatedns": "Network",
    "redis": "Cache",
    "redisenterprise": "Cache",
}
"""Resource providers whose names are not those of the SDK's modules."""

_SEGMENTS = {
    "cluster": "redisEnterprise",
    "privateZone": "privateDnsZones",
    "redis": "redis",
    "redisEnterprise": "redisEnterprise",
    "service": "service",
}
"""Segments of IDs that are no plural of a type's name, as far as a gateway for AI has to do with them."""

_APIM = "azure-native:apimanagement:"
_NAME = re.compile("(?:Name|Id)$")
_SHOWN = re.compile("(?:[dD]isplay|Short|Header|Query)Name$")
"""Names that people or messages see, which are part of no ID."""

_AZURE = "azure-native:"
_GROUP = "resourceGroupName"
_SCOPES = ("scope", "resourceUri", "resourceId")
"""Inputs with the ID of the resource that an extension is on, such as a diagnostic setting."""


class _Anything(Shape):
    """Property names that say what there is, and refuse nothing."""

    def check(self, value: Any, target: str = "") -> None:
        """Accept everything."""


@cache
def unmodelled_type(token: str) -> ResourceType | None:
    """Describe a type that is not modelled, by its token without a version; None for one that no provider has.

    Of packages other than azure-native, azuread and random all types are taken to exist.
    """
    package = token.split(":", maxsplit=1)[0]
    ours = package in sdk.PACKAGES
    if ours and not sdk.exists(token):
        return None
    names = sdk.inputs(token) if ours else {}
    if package == "azure-native":
        own = _own_name(token, names)
        fixed = {own, _GROUP, "location", *_SCOPES, *_parents(token, names)} & names.keys()
        return ResourceType(
            token=token,
            shape=_Anything("", " ".join(names)),
            create=lambda state, name, inputs: _create(state, token, own, name, inputs),
            update=lambda state, resource, inputs: _filled(state, resource.id, token, inputs),
            immutable=dict.fromkeys(sorted(fixed), always),
            assigned=frozenset({own, "location"} & names.keys()),
        )
    return ResourceType(
        token=token,
        shape=_Anything("", " ".join(names)),
        create=lambda state, name, inputs: _filled(
            state,
            f"{name}-{state.fresh_guid('id', token, name)[:8]}"
            if package != "azuread"
            else state.fresh_guid("id", token, name),
            token,
            inputs,
        ),
        update=lambda state, resource, inputs: _filled(state, resource.id, token, inputs),
        kept=package != "random",
    )


def unmodelled_function(token: str) -> Function | None:
    """Look up a resource of such a type by its names, as `azure-native:storage:getStorageAccount` does.

    None for any other function.
    """
    match = re.fullmatch(r"(azure-native:\w+):get(\w+)", token)
    if match is None:
        return None
    of = f"{match[1]}:{match[2]}"
    kind = unmodelled_type(of)
    if kind is None:
        return None

    def look_up(state: State, args: Properties) -> Properties:
        wanted = _id(state, of, str(args.get(_own_name(of, sdk.inputs(of)), "")), args)
        found = state.find(wanted)
        if found is None:
            raise ResourceNotFoundError(of, wanted)
        return {"id": found.id, **found.outputs}

    return Function(token, look_up)


def _create(state: State, token: str, own: str, logical_name: str, inputs: Properties) -> Resource:
    name = inputs.get(own) or f"{logical_name}{state.fresh_guid('name', token, logical_name)[:8]}"
    given = {**inputs, own: name} if own in sdk.inputs(token) else dict(inputs)
    group = state.find(f"/subscriptions/{state.subscription_id}/resourceGroups/{inputs.get(_GROUP)}")
    if "location" in sdk.inputs(token) and inputs.get("location") is None and group is not None:
        given["location"] = group.outputs["location"]
    return _filled(state, _id(state, token, str(name), given), token, given)


def _filled(state: State, resource_id: str, token: str, inputs: Properties) -> Resource:
    """Make the resource with all outputs that are never absent, as far as they are texts."""
    name = resource_id.rsplit("/", 1)[1] if "/" in resource_id else resource_id
    known: Properties = {}
    if token.startswith(_AZURE):
        known = {"name": name, "type": _arm_type(resource_id), "provisioningState": "Succeeded"}
    resource = Resource(id=resource_id, token=token, inputs=inputs, outputs=deepcopy(inputs))
    if sdk.exists(token):
        known = {key: value for key, value in known.items() if key in sdk.outputs(token)}
        resource.outputs = _completed(state, resource_id, sdk.certain_outputs(token), {**resource.outputs, **known})
    if isinstance(inputs.get("identity"), Mapping):
        with suppress(CloudError):  # An identity that does not exist is no reason to refuse it.
            attach_identities(state, resource)
    return resource


def _completed(state: State, path: str, types: Mapping[str, Any], given: Mapping[str, Any]) -> Properties:
    outputs = dict(given)
    for name, kind in types.items():
        value = outputs.get(name)
        if isinstance(kind, type) and _types.is_output_type(kind):
            if value is None or isinstance(value, Mapping):
                outputs[name] = _completed(state, f"{path}\n{name}", sdk.certain(kind), value or {})
        elif value is None and kind is str:
            outputs[name] = state.guid("output", path, name)
    return outputs


def _own_name(token: str, names: Mapping[str, bool]) -> str:
    """Input with the resource's own name: the one that is called after the type, else the one that may be left out."""
    kind = token.rsplit(":", 1)[1].lower()
    named = [name for name in names if _NAME.search(name) and not _SHOWN.search(name) and name != _GROUP]
    after = [name for name in named if kind.endswith(_stem(name).lower())]
    optional = [name for name in named if name.endswith("Name") and not names[name]]
    chosen = (*sorted(after, key=len, reverse=True), "resourceName", "name", *optional)
    return next((name for name in chosen if name in names), "name")


def _parents(token: str, names: Mapping[str, bool]) -> list[str]:
    """List the inputs with the names of the parents, the outermost first."""
    own, kind = _own_name(token, names), token.rsplit(":", 1)[1].lower()
    required = [name for name, needed in names.items() if needed and name not in (own, _GROUP, *_SCOPES)]
    named = [name for name in required if name.endswith("Name") and not _SHOWN.search(name)]
    return named + [name for name in required if name.endswith("Id") and kind.startswith(_stem(name).lower())]


def _stem(name: str) -> str:
    return _NAME.sub("", name)


def _id(state: State, token: str, name: str, inputs: Mapping[str, Any]) -> str:
    names = sdk.inputs(token)
    _, module, kind = token.split(":")
    provider = f"Microsoft.{_NAMESPACES.get(module, module[:1].upper() + module[1:])}"
    scope = next((str(inputs[one]).rstrip("/") for one in _SCOPES if names.get(one) and inputs.get(one)), None)
    top = scope or f"/subscriptions/{state.subscription_id}"
    if scope is None and inputs.get(_GROUP):
        top += f"/resourceGroups/{inputs[_GROUP]}"
    between, segment = f"{top}/providers/{provider}", kind[:1].lower() + kind[1:]
    for parent in _parents(token, names):
        between = _parent(state, between, f"{_AZURE}{module}:", _stem(parent), str(inputs.get(parent)))
        if token.startswith(_APIM) and segment != _stem(parent):
            segment = segment.removeprefix(_stem(parent))  # ApiOperation is apis/operations
    return f"{between}/{_plural(segment[:1].lower() + segment[1:])}/{name}"


def _parent(state: State, top: str, module: str, stem: str, name: str) -> str:
    """ID of the parent: of the one that is there, else of the segment that its input is called after."""
    for found in state.all():
        inside = found.id.lower().startswith(f"{top}/".lower()) and found.token.startswith(module)
        if inside and found.name.lower() == name.lower() and found.token.lower().endswith(stem.lower()):
            return found.id
    return f"{top}/{_plural(stem)}/{name}"


def _plural(word: str) -> str:
    if word in _SEGMENTS:
        return _SEGMENTS[word]
    if re.search("[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _arm_type(resource_id: str) -> str:
    """Type in an ID: the provider's namespace and every other segment after it."""
    namespace, *segments = resource_id.rsplit("/providers/", 1)[1].split("/")
    return "/".join([namespace, *segments[::2]])
