"""API definitions that an API can be imported from: OpenAPI documents given in full."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.files import read_yaml
from apim_emulator.gateway.loading.openapi import operations
from apim_emulator.model import Operation

_LARGEST = 4 * 1024 * 1024
"""Bytes of a document given inline (API Management: "API import restrictions and known issues")."""


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
    try:
        found = operations(document, query_in_template=query_in_template)
    except ValueError as error:
        raise ValidationError(str(error), "value") from None
    return Definition(found, document, _server(document))


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
