"""Names and locations that a provider fills in where a program gives none."""

import random
import uuid
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from sandbox.cloud.authorization import ROLE_ASSIGNMENT
from sandbox.cloud.cloud import resource_types
from sandbox.cloud.errors import CloudError
from sandbox.cloud.state import Properties

_SUFFIX = 4
"""Random bytes at the end of a name."""


def filled_in(request: provider_pb2.CheckRequest, news: Mapping[str, Any], location: str | None) -> Properties:
    """Return inputs with the name that the resource has already, or a new one, and with the provider's location.

    A new name follows from the engine's random seed, so a preview shows the name that the update will give.
    """
    inputs = dict(news)
    olds = request.olds.fields
    kind = resource_types().get(request.type)
    for name in sorted(kind.assigned) if kind else ():
        if inputs.get(name) is not None:
            continue
        if name == "location":
            given = location
        elif name in olds:
            given = olds[name].string_value
        else:
            given = _new_name(request, name)
        if given:
            inputs[name] = given
    return inputs


def _new_name(request: provider_pb2.CheckRequest, name: str) -> str:
    source = random.Random(request.randomSeed or None)  # noqa: S311 - a name, not a secret
    if request.type == ROLE_ASSIGNMENT:
        return str(uuid.UUID(bytes=source.randbytes(16), version=4))
    options = provider_pb2.CheckRequest.AutonamingOptions
    if request.HasField("autonaming"):
        if request.autonaming.mode == options.DISABLE:
            raise CloudError("ValidationError", f"{name} is missing, and pulumi:autonaming is disabled", name)
        return request.autonaming.proposed_name
    return f"{request.name}{source.randbytes(_SUFFIX).hex()}"
