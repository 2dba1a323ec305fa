"""What the providers' Python SDKs say of a resource type: its inputs and outputs, by the names that Azure uses."""

import importlib
import inspect
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from pulumi import _types

PACKAGES = ("azure-native", "azuread", "random")
"""Packages of the providers that the cloud stands for."""

_MODULES = {"azuread": "pulumi_azuread", "random": "pulumi_random"}

_importing = threading.Lock()
"""The SDKs' modules import one another, which Python does not do well from several threads at once."""


def exists(token: str) -> bool:
    """Whether a provider has a resource type, given by its token without a version."""
    return _class(token) is not None


def outputs(token: str) -> Mapping[str, Any]:
    """Types of all outputs; of one that may be absent, the type that it has otherwise."""
    found: Mapping[str, Any] = _types.resource_types(_class(token))
    return found


def certain_outputs(token: str) -> Mapping[str, Any]:
    """Types of the outputs that are never absent."""
    return certain(_class(token))


@cache
def certain(kind: Any) -> Mapping[str, Any]:
    """Types of those properties of a resource or of an output object that are never absent."""
    names = _types.resource_py_to_pulumi_names(kind)
    hints = {name: _hint(getattr(kind, name, None)) for name in names}
    return {
        names[name]: _types.unwrap_type(hint)
        for name, hint in hints.items()
        if hint is not None and type(None) not in get_args(hint)
    }


@cache
def inputs(token: str) -> Mapping[str, bool]:
    """List the inputs, and whether each is required."""
    kind = _class(token)
    module = inspect.getmodule(kind)
    name = token.rsplit(":", 1)[1]
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args", None)
    if arguments is None:
        return {}
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters
    return {names[key]: found.default is inspect.Parameter.empty for key, found in parameters.items() if key in names}


@cache
def _class(token: str) -> Any:
    package, module, name = [*token.split(":"), "", ""][:3]
    if package == "azure-native":
        path = f"pulumi_azure_native.{module}"
    elif package in _MODULES:
        path = _MODULES[package]
    else:
        return None
    with _importing:
        try:
            found = getattr(importlib.import_module(path), name, None)
        except ImportError:
            return None
    return found if inspect.isclass(found) else None


def _hint(member: Any) -> Any:
    if not isinstance(member, property) or member.fget is None:
        return None
    hint = get_type_hints(member.fget)["return"]
    return get_args(hint)[0] if get_args(hint) and getattr(hint, "__name__", "") == "Output" else hint
