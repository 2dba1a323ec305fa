"""What the cloud knows of each type, compared with Azure's own types, which are kept outside this repository."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.registry import resource_types
from apim_emulator.azure.resource_types.shape import Shape
from apim_emulator.azure.resource_types.unmodelled import unmodelled_type
from emulator.tests.azure.azure import Azure

FOLDER = Path(os.environ.get("APIM_JUDGES") or Path(__file__).parents[5] / "shared" / "judges") / "arm-types"
INDEX = FOLDER / "_index.json"
OFFICIAL: dict[str, Any] = json.loads(INDEX.read_text(encoding="utf-8")) if INDEX.is_file() else {}
"""By type token; empty where they are absent."""
MODELLED = {
    token: kind.shape
    for token, kind in resource_types().items()
    # A generic resource has the type of what it is.
    if token.startswith("azure-native:") and token != RESOURCE
}

pytestmark = pytest.mark.skipif(not OFFICIAL, reason=f"no official types of Azure in {FOLDER}")


@pytest.mark.parametrize("token", MODELLED)
def test_a_type_takes_the_properties_of_its_arm_type(token: str) -> None:
    if token not in OFFICIAL:
        pytest.skip(f"no official type of {token} in {FOLDER}")
    document = json.loads((FOLDER / OFFICIAL[token]["file"]).read_text(encoding="utf-8"))

    assert list(_differences(MODELLED[token], document["schema"], document["$defs"], token)) == []


@pytest.mark.slow
@pytest.mark.parametrize("token", sorted(OFFICIAL.keys() - resource_types().keys()))
def test_a_type_that_is_not_modelled_has_its_official_arm_type(azure: Azure, token: str) -> None:
    kind = unmodelled_type(token)
    assert kind is not None
    names = {name: f"{name}-x" for name in kind.immutable if name != "location"}

    _, outputs = azure.cloud.create(token, "thing", {**names, "resourceGroupName": "rg"})

    # One class of the SDK has no output `type`.
    assert outputs.get("type", OFFICIAL[token]["armType"]).lower() == OFFICIAL[token]["armType"].lower()


def _differences(shape: Shape, schema: Mapping[str, Any], defs: Mapping[str, Any], where: str) -> list[str]:
    found = []
    while "$ref" in schema or schema.get("type") == "array":
        schema = defs[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema["items"]
    if shape.names != schema["properties"].keys():
        found.append(f"{where}: names differ by {sorted(shape.names ^ schema['properties'].keys())}")
    if shape.required != set(schema.get("required", [])):
        found.append(f"{where}: required differ by {sorted(shape.required ^ set(schema['required']))}")
    for name, inner in shape.nested.items():
        found += _differences(inner, schema["properties"][name], defs, f"{where}.{name}")
    return found
