"""Names and locations that a provider fills in where a program gives none (pulumi-azure-native, `applyDefaults`)."""

import random
import uuid
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.authorization import ROLE_ASSIGNMENT
from apim_emulator.azure.registry import resource_type
from apim_emulator.azure.state import Properties

CREATE_BEFORE_DELETE = "__createBeforeDelete"
"""Input with which azure-native notes that it made up the name: such a resource is replaced by one that comes first."""

_SUFFIX = 4
"""Random bytes at the end of a name."""


def apply_defaults(request: provider_pb2.CheckRequest, news: Mapping[str, Any], location: str | None) -> Properties:
    """Return inputs with the name and the location that the resource has already.

    A new resource gets the provider's location, another of which moves nothing that exists, and a name that follows
    from the engine's random seed, so a preview shows the name that the update will give.
    """
    inputs = dict(news)
    olds = request.olds.fields
    for name in sorted(resource_type(request.type).assigned):
        if inputs.get(name) is not None:
            continue
        named = name != "location"
        if name in olds:
            given: str | None = olds[name].string_value
            made_up = olds[CREATE_BEFORE_DELETE].bool_value if CREATE_BEFORE_DELETE in olds else False
        else:
            given, made_up = (_new_name(request, name), True) if named else (location, False)
        if given:
            inputs[name] = given
            if named and made_up and request.type.startswith("azure-native:"):
                inputs[CREATE_BEFORE_DELETE] = True
    return inputs


def program_inputs(inputs: Mapping[str, Any]) -> Properties:
    """Return plain inputs without the provider's own note."""
    return {name: value for name, value in inputs.items() if name != CREATE_BEFORE_DELETE}


def _new_name(request: provider_pb2.CheckRequest, name: str) -> str:
    source = random.Random(request.randomSeed or None)  # noqa: S311 - a name, not a secret
    if request.type == ROLE_ASSIGNMENT:
        return str(uuid.UUID(bytes=source.randbytes(16), version=4))
    options = provider_pb2.CheckRequest.AutonamingOptions
    if request.HasField("autonaming"):
        if request.autonaming.mode == options.DISABLE:
            raise ValidationError(f"{name} is missing, and pulumi:autonaming is disabled", name)
        return request.autonaming.proposed_name
    return f"{request.name}{source.randbytes(_SUFFIX).hex()}"
