"""Azure OpenAI's APIs as OpenAPI documents of our own: their operations and the schemas that matter.

Microsoft's documents are files on a branch: with a link to one, someone else's commit could change what is deployed.
"""

import json
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from definitions.document import narrowed, without_server
from definitions.surface import Surface

VERSIONS = ("2022-12-01", "2023-05-15", "2024-02-01", "2024-06-01", "2024-10-21")
"""Stable versions of the dated API, oldest first (azure-rest-api-specs, `inference/stable`)."""

_DATED = Path(__file__).with_name("azure_openai.json")
_V1 = Path(__file__).with_name("azure_openai_v1.json")
_SINCE = {
    "chat/completions": "2023-05-15",
    "audio/transcriptions": "2024-02-01",
    "audio/translations": "2024-02-01",
    "images/generations": "2024-02-01",
}
"""First version that has the operation; all other operations are in every version."""


def azure_openai(version: str, operations: Collection[str] | None = None) -> str:
    """Return the definition of the dated API as JSON text that is ready for import.

    Versions differ in the operations that they offer.

    Args:
        version: one of `VERSIONS`.
        operations: IDs of the operations to offer. None: all of the version.

    """
    return _dated(version, None if operations is None else frozenset(operations))


def azure_openai_v1(operations: Collection[str] | None = None) -> str:
    """Return the definition of the v1 API as JSON text that is ready for import; it has no versions."""
    return _v1(None if operations is None else frozenset(operations))


@lru_cache(maxsize=32)  # each API of a stack is checked and deployed with one
def _dated(version: str, operations: Collection[str] | None) -> str:
    document = json.loads(_DATED.read_text(encoding="utf-8"))
    document["info"]["version"] = version
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if version >= _SINCE.get(path.removeprefix("/deployments/{deployment-id}/"), version)
    }
    return without_server(json.dumps(_closed(narrowed(document, operations))))


@lru_cache(maxsize=32)
def _v1(operations: Collection[str] | None) -> str:
    document = json.loads(_V1.read_text(encoding="utf-8"))
    return without_server(json.dumps(_closed(narrowed(document, operations))), surface=Surface.V1)


def _closed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the schemas that its operations do not use."""
    schemas = document["components"]["schemas"]
    used = set(_used(document["paths"], schemas))
    return {**document, "components": {"schemas": {name: found for name, found in schemas.items() if name in used}}}


def _used(part: Any, schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to, directly or through others."""
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)):
        yield name
        yield from _used(schemas[name], schemas)
