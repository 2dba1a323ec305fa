"""API definitions that an API can be imported from: OpenAPI documents given in full."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.files import read_yaml
from apim_emulator.model import Operation

_LARGEST = 4 * 1024 * 1024
"""Bytes of a document given inline (API Management: "API import restrictions and known issues")."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Definition:
    """What an API is imported from."""

    operations: tuple[Operation, ...] = ()
    document: Mapping[str, Any] | None = None
    server: str | None = None
    """Where the API sends its requests, empty where the document names no HTTPS server; None: it names none at all."""


def definition(content_format: str, value: str, *, query_in_template: bool = True) -> Definition:
    """Read the definition that `format` and `value` of an API give (API Management: `ContentFormat`).

    `query_in_template` makes required query parameters a part of the operations' URL templates.
    """
    if content_format in {"openapi", "openapi+json"}:
        return _parsed(content_format, value, query_in_template=query_in_template)
    if content_format.endswith("-link"):
        raise ValidationError(
            "the emulator downloads nothing; give the document itself, as openapi or openapi+json", "value"
        )
    raise ValidationError(f"format {content_format!r} is not modelled; use openapi or openapi+json", "format")


def _parsed(content_format: str, value: str, *, query_in_template: bool) -> Definition:
    if len(value.encode("utf-8", "surrogatepass")) > _LARGEST:
        raise ValidationError("the API definition is larger than the 4 MB that an import takes", "value")
    try:
        document = json.loads(value) if content_format == "openapi+json" else read_yaml(value)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValidationError(
            f"the API definition cannot be parsed: {' '.join(str(error).split())}", "value"
        ) from error
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3."):
        raise ValidationError("the API definition is not an OpenAPI 3 document", "value")
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise ValidationError("the API definition has no paths", "value")
    found = [
        Operation(
            name=_operation_id(method, path, operation),
            method=method.upper(),
            url_template=_template(path, item, operation) if query_in_template else path,
        )
        for path, item in paths.items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    names = [operation.name.lower() for operation in found]
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f"the API definition has the operation ID {name!r} twice", "value")
    return Definition(tuple(found), document, _server(document))


def _server(document: Mapping[str, Any]) -> str | None:
    """Address that an import makes the API's `serviceUrl`, whatever the API itself says.

    It is the first HTTPS one, and empty without any (API Management: "API import restrictions and known issues"). That
    it overrules the API's own: Azure/apiops-cli #141, Azure/azure-powershell #9336, and the second request that
    azurerm sends after an import. Variables have their defaults, and without servers the API's own stays (inferred).
    """
    servers = document.get("servers")
    if not isinstance(servers, list) or not servers:
        return None
    urls = [_filled(server) for server in servers if isinstance(server, Mapping)]
    return next((url for url in urls if url.lower().startswith("https://")), "")


def _filled(server: Mapping[str, Any]) -> str:
    variables = server.get("variables") or {}
    return re.sub(
        r"\{([^{}]+)\}",
        lambda name: str((variables.get(name[1]) or {}).get("default", name[0])),
        str(server.get("url", "")),
    )


def _template(path: str, item: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    """Path with the required query parameters (API Management: "API import restrictions and known issues")."""
    parameters = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
    given = [found for found in parameters if isinstance(found, Mapping)]
    names = [found.get("name") for found in given if (found.get("in"), found.get("required")) == ("query", True)]
    return f"{path}?{'&'.join(f'{name}={{{name}}}' for name in dict.fromkeys(names))}" if names else path


def _operation_id(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Operation ID, or where the document has none a name made of method and path (inferred)."""
    given = operation.get("operationId") or f"{method}-{path.strip('/')}"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(given)).strip("-")[:80]
