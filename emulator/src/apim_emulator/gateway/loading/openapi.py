"""OpenAPI documents as an API is imported from them."""

import re
from collections.abc import Mapping
from typing import Any

from apim_emulator.model import Operation

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def operations(document: Mapping[str, Any], *, query_in_template: bool = True) -> tuple[Operation, ...]:
    """Read the operations of a document; raises `ValueError`.

    `query_in_template` makes required query parameters a part of the operations' URL templates.
    """
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError("the API definition has no paths")
    found = tuple(
        Operation(
            name=_operation_id(method, path, operation),
            method=method.upper(),
            url_template=_template(path, item, operation) if query_in_template else path,
        )
        for path, item in paths.items()
        if isinstance(path, str) and isinstance(item, Mapping)
        for method, operation in item.items()
        if method in _METHODS and isinstance(operation, Mapping)
    )
    names = [operation.name.lower() for operation in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the API definition has the operation ID {name!r} twice")
    return found


def _template(path: str, item: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    """Path with the required query parameters (API Management: "API import restrictions and known issues")."""
    lists = [listed for listed in (item.get("parameters"), operation.get("parameters")) if isinstance(listed, list)]
    given = [found for listed in lists for found in listed if isinstance(found, Mapping)]
    names = [found.get("name") for found in given if (found.get("in"), found.get("required")) == ("query", True)]
    return f"{path}?{'&'.join(f'{name}={{{name}}}' for name in dict.fromkeys(names))}" if names else path


def _operation_id(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Operation ID, or where the document has none a name made of method and path (inferred)."""
    given = operation.get("operationId") or f"{method}-{path.strip('/')}"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(given)).strip("-")[:80]
