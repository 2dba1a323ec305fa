"""The official OpenAPI document of the v1 API as a judge of answers, where it is at hand outside this repository."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FOLDER = Path(os.environ.get("APIM_JUDGES") or Path(__file__).parents[5] / "shared" / "judges") / "openapi"
FILE = FOLDER / "azure-openai-v1.json"
DATED_FILE = FOLDER / "azure-openai-2024-10-21.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
SCHEMAS: dict[str, Any] = DOCUMENT.get("components", {}).get("schemas", {})

requires_official = pytest.mark.skipif(not SCHEMAS, reason=f"no official document in {FILE}")

_PLAIN = ".plain"
"""Ends the name of a schema without the choice that its discriminator makes."""


def errors(name: str, answer: object) -> list[str]:
    """What is wrong with an answer, by a schema's name."""
    return _errors({"$ref": f"#/components/schemas/{name}"}, answer)


def errors_of(method: str, path: str, answer: object) -> list[str]:
    """What is wrong with the answer of an operation."""
    operation = DOCUMENT["paths"][path][method.lower()]
    return _errors(_convert(operation["responses"]["200"]["content"]["application/json"]["schema"]), answer)


def parameters_of(path: str, *, dated: bool = False) -> set[str]:
    """Names of the parameters in the body of a POST."""
    document = json.loads(DATED_FILE.read_text(encoding="utf-8")) if dated else DOCUMENT
    pending = [document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]]
    found: set[str] = set()
    while pending:
        schema = pending.pop()
        if "$ref" in schema:
            pending.append(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        found.update(schema.get("properties", {}))
        pending += schema.get("allOf", [])
    return found


def _errors(schema: dict[str, Any], answer: object) -> list[str]:
    whole = {**schema, "components": {"schemas": _converted()}}
    found = jsonschema.Draft202012Validator(whole).iter_errors(answer)
    return [f"{error.json_path}: {error.message:.300}" for error in found]


def _converted() -> dict[str, Any]:
    if not _CACHE:
        for name, schema in SCHEMAS.items():
            plain = _convert(schema)
            _CACHE[name + _PLAIN] = plain
            _CACHE[name] = {"allOf": [plain, *_choices(schema)]}
    return _CACHE


_CACHE: dict[str, Any] = {}


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """One condition for each value of a discriminator."""
    discriminator = schema.get("discriminator", {})
    name = discriminator.get("propertyName")
    return [
        {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": {"$ref": target}}
        for value, target in discriminator.get("mapping", {}).items()
    ]


def _convert(schema: Any, *, base: bool = False) -> Any:
    """JSON Schema for a schema of OpenAPI 3.0; a base that it extends makes no choice."""
    if isinstance(schema, list):
        return [_convert(each, base=base) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        target = schema["$ref"]
        return {"$ref": target + _PLAIN if base else target}
    converted = {
        key: _convert(value, base=key == "allOf" and "properties" in schema)
        for key, value in schema.items()
        if key not in ("nullable", "discriminator", "default", "format")
    }
    if schema.get("nullable") is True:
        return {"anyOf": [converted, {"type": "null"}]}
    return converted
