"""API definitions that an API can be imported from: the official Azure OpenAI ones and documents given in full."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.cloud.errors import CloudError, invalid
from sandbox.model import Operation

_OFFICIAL = re.compile(
    r"^https://raw\.githubusercontent\.com/Azure/azure-rest-api-specs/main/specification/cognitiveservices"
    r"/data-plane/AzureOpenAI/inference/stable/([^/]+)/inference\.json$"
)
_TEXT = (("Completions_Create", "completions"), ("embeddings_create", "embeddings"))
_CHAT = (("ChatCompletions_Create", "chat/completions"),)
_MEDIA = (
    ("Transcriptions_Create", "audio/transcriptions"),
    ("Translations_Create", "audio/translations"),
    ("ImageGenerations_Create", "images/generations"),
)
_OPERATIONS = {
    "2022-12-01": _TEXT,
    "2023-05-15": _TEXT + _CHAT,
    "2024-02-01": _TEXT + _CHAT + _MEDIA,
    "2024-06-01": _TEXT + _CHAT + _MEDIA,
    "2024-10-21": _TEXT + _CHAT + _MEDIA,
}
"""Operation ID and path below the deployment, by stable version (azure-rest-api-specs, `inference.json`)."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Definition:
    """What an API is imported from."""

    operations: tuple[Operation, ...]
    document: Mapping[str, Any] | None = None
    """The document; None for a link, of which only the operations are known here."""


def definition(content_format: str, value: str) -> Definition:
    """Read the definition that `format` and `value` of an API give (API Management: `ContentFormat`)."""
    if content_format in {"openapi-link", "openapi+json-link"}:
        return Definition(_linked(value))
    if content_format in {"openapi", "openapi+json"}:
        return _parsed(content_format, value)
    raise invalid(f"format {content_format!r} is not modelled; use openapi, openapi+json or their links", "format")


def _linked(url: str) -> tuple[Operation, ...]:
    match = _OFFICIAL.match(url)
    if match is None or match[1] not in _OPERATIONS:
        raise invalid(
            f"the sandbox downloads nothing, and {url!r} is not an official Azure OpenAI definition of one of "
            f"{', '.join(_OPERATIONS)}; give the document itself instead",
            "value",
        )
    return tuple(
        Operation(name=name, method="POST", url_template=f"/deployments/{{deployment-id}}/{path}")
        for name, path in _OPERATIONS[match[1]]
    )


def _parsed(content_format: str, value: str) -> Definition:
    try:
        document = json.loads(value) if content_format == "openapi+json" else yaml.safe_load(value)
    except (ValueError, yaml.YAMLError) as error:
        raise invalid(f"the API definition cannot be parsed: {' '.join(str(error).split())}", "value") from error
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3."):
        raise invalid("the API definition is not an OpenAPI 3 document", "value")
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise invalid("the API definition has no paths", "value")
    found = [
        Operation(name=_operation_id(method, path, operation), method=method.upper(), url_template=path)
        for path, item in paths.items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    names = [operation.name.lower() for operation in found]
    for name in names:
        if names.count(name) > 1:
            raise CloudError("ValidationError", f"the API definition has the operation ID {name!r} twice", "value")
    return Definition(tuple(found), document)


def _operation_id(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Operation ID, or where the document has none a name made of method and path (inferred)."""
    given = operation.get("operationId") or f"{method}-{path.strip('/')}"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(given)).strip("-")[:80]
