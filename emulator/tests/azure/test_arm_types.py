"""The property names that the cloud knows, compared with Azure's own types."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.azure.cloud import resource_types
from apim_emulator.azure.shape import Shape

JUDGES = Path(os.environ.get("APIM_JUDGES") or Path(__file__).parents[3] / "../shared/judges")
TYPES = {token: kind.shape for token, kind in resource_types().items() if token.startswith("azure-native:")}


@pytest.mark.skipif(not JUDGES.is_dir(), reason="the judges are not here")
@pytest.mark.parametrize("token", TYPES)
def test_a_type_takes_the_properties_of_its_arm_type(token: str) -> None:
    index = json.loads((JUDGES / "arm-types/_index.json").read_text())
    document = json.loads((JUDGES / "arm-types" / index[token]["file"]).read_text())

    assert list(_differences(TYPES[token], document["schema"], document["$defs"], token)) == []


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
