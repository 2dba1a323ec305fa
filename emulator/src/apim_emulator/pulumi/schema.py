"""Schema of a stand-in: the types and functions that the cloud models, their inputs by name."""

import json
from typing import Any

from apim_emulator.azure.registry import resource_types

_ANY = {"$ref": "pulumi.json#/Any"}


def schema(package: str, version: str) -> str:
    """Package schema in JSON ("Pulumi package schema"). Values have no types: the cloud itself checks them."""
    document: dict[str, Any] = {"name": package, "version": version, "resources": {}}
    for token, kind in resource_types().items():
        if token.startswith(f"{package}:"):
            document["resources"][token] = {
                "inputProperties": dict.fromkeys(sorted(kind.shape.names), _ANY),
                "properties": dict.fromkeys(sorted({"name", *kind.shape.names}), _ANY),
                "requiredInputs": sorted(kind.shape.required),
            }
    return json.dumps(document, sort_keys=True)
