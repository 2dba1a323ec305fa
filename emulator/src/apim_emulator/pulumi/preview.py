"""Outputs at preview: inputs that come back as they are, and everything else that the provider returns unknown."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pulumi import _types

from apim_emulator.azure.resource_types import sdk
from apim_emulator.azure.state import Properties
from apim_emulator.pulumi.property_values import UNKNOWN

_STABLE = ("name", "location")
"""Outputs that azure-native keeps in the preview of an update, because nothing in place can change them."""


def created(token: str, inputs: Mapping[str, Any]) -> Properties:
    """Tell the outputs that a resource will have, nested ones too, as far as they are known before it exists."""
    return _completed(inputs, sdk.outputs(token))


def updated(token: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Properties:
    """Tell the outputs that a resource with `outputs` will have after an update in place.

    azure-native takes all but names as unknown then; providers bridged from Terraform keep what the update leaves.
    """
    after = created(token, inputs)
    if token.startswith("azure-native:"):
        return after | {name: outputs[name] for name in _STABLE if name in outputs}
    return {**outputs, **inputs}


def _completed(given: Mapping[str, Any], types: Mapping[str, Any]) -> Properties:
    return {name: _value(given[name], kind) if name in given else UNKNOWN for name, kind in types.items()}


def _value(given: Any, kind: Any) -> Any:
    kind = _types.unwrap_optional_type(kind)
    if isinstance(kind, type) and _types.is_output_type(kind):
        return _completed(given, _types.output_type_types(kind)) if isinstance(given, Mapping) else UNKNOWN
    if get_origin(kind) is Mapping:
        # Identities are listed in an input and come back as a map.
        keyed = isinstance(given, Mapping)
        return {key: _value(item, get_args(kind)[1]) for key, item in given.items()} if keyed else UNKNOWN
    if get_origin(kind) is Sequence and isinstance(given, list):
        return [_value(item, get_args(kind)[0]) for item in given]
    return given
