"""Azure OpenAI's dated API as an OpenAPI document of our own: its operations and the schemas that matter.

Microsoft's document is a file on a branch: with a link to it, someone else's commit could change what is deployed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from definitions.document import without_server

VERSIONS = ("2022-12-01", "2023-05-15", "2024-02-01", "2024-06-01", "2024-10-21")
"""Stable versions of the REST API, oldest first (azure-rest-api-specs, `inference/stable`)."""

_FILE = Path(__file__).with_suffix(".json")
_SINCE = {
    "chat/completions": "2023-05-15",
    "audio/transcriptions": "2024-02-01",
    "audio/translations": "2024-02-01",
    "images/generations": "2024-02-01",
}
"""First version that has the operation; all other operations are in every version."""


def azure_openai(version: str) -> str:
    """Return the definition of a version, one of `VERSIONS`, as JSON text that is ready for import.

    Versions differ in the operations that they offer.
    """
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    document["info"]["version"] = version
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if version >= _SINCE.get(path.removeprefix("/deployments/{deployment-id}/"), version)
    }
    schemas = document["components"]["schemas"]
    used = set(_used(document["paths"], schemas))
    document["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in used}
    return without_server(json.dumps(document))


def _used(part: Any, schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to, directly or through others."""
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)):
        yield name
        yield from _used(schemas[name], schemas)
