"""Which resource types and functions there are: those that the providers declare, and those that are not modelled."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from apim_emulator.azure import providers
from apim_emulator.azure.exceptions import InvalidRequestError, InvalidResourceTypeError
from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.providers.resources.resource import is_modelled
from apim_emulator.azure.resource_types import Function, ResourceType
from apim_emulator.azure.resource_types.unmodelled import unmodelled_function, unmodelled_type


def _declared() -> Iterator[object]:
    for module in walk_packages(providers.__path__, f"{providers.__name__}."):
        yield from vars(import_module(module.name)).values()


_DECLARED = tuple(_declared())
_TYPES = {found.token: found for found in _DECLARED if isinstance(found, ResourceType)}
_FUNCTIONS = {found.token: found for found in _DECLARED if isinstance(found, Function)}


def resource_types() -> Mapping[str, ResourceType]:
    """All types that are modelled, by token."""
    return _TYPES


def functions() -> Mapping[str, Function]:
    """All functions that are modelled, by token; the `get` functions of types that are not modelled work as well."""
    return _FUNCTIONS


def resource_type(token: str) -> ResourceType:
    """Return a type by its token, with or without a version: one that is modelled, or one that is not but exists.

    Raises `CloudError` for one that no provider has.
    """
    plain = _versionless(token)
    kind = _TYPES.get(plain) or unmodelled_type(plain)
    if kind is None:
        raise InvalidResourceTypeError(f"the resource type {token!r} does not exist", token)
    return kind


def function(token: str) -> Function:
    """Return a function by its token, with or without a version. Raises `CloudError` for one that is not modelled."""
    plain = _versionless(token)
    found = _FUNCTIONS.get(plain) or unmodelled_function(plain)
    if found is None:
        raise InvalidRequestError(f"the function {token!r} is not modelled", token)
    return found


def unmodelled_warning(token: str, inputs: Mapping[str, Any]) -> str | None:
    """Say what to tell of a resource whose type is not modelled; None of any other."""
    plain = _versionless(token)
    modelled = is_modelled(inputs) if plain == RESOURCE else plain in _TYPES
    if modelled or unmodelled_type(plain) is None:
        return None
    return f"{token} is not modelled: the emulator keeps what it is given and does nothing with it"


def _versionless(token: str) -> str:
    """Token without an API version: `azure-native:apimanagement/v20240501:Api` is the same type here."""
    return re.sub(r"^azure-native:([a-z]+)/v\d{8}\w*:", r"azure-native:\1:", token)
