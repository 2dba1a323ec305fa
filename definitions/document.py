"""OpenAPI 3 documents (JSON) from which APIs are imported: their paths must fit the backend."""

import json
import re
from collections.abc import Collection
from typing import Any, Never
from urllib.parse import urlsplit

from definitions.surface import Surface

UNREACHABLE = "https://api-without-its-policy.invalid/openai"
"""Where an API sends requests without its policy: to a name that never resolves (RFC 2606), so it fails closed."""

_LARGEST = 4 * 1024 * 1024
"""Most bytes of a definition that is imported inline (API Management: "API import restrictions and known issues")."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_OF_A_DEPLOYMENT = re.compile(
    r"/((?:chat/)?completions|embeddings|audio/(?:transcriptions|translations|speech)|images/(?:generations|edits))/?"
)
"""Paths of the v1 API for operations that the dated API has below a deployment."""
_DATED_DEFINITION = "import the definition of a dated version, such as 2024-10-21, or set surface to v1"
_V1_DEFINITION = "import a definition of the v1 API, or set surface to dated"


class DefinitionError(ValueError):
    """A definition cannot be imported; the message tells what is wrong, what is allowed and what to do."""


def check_definition(text: str, surface: Surface = Surface.DATED) -> None:
    """Refuse a definition that cannot be imported or does not fit the backend of the surface.

    Raises:
        DefinitionError: It is not JSON, is not an OpenAPI 3.0 or 3.1 document, has no operations, does not fit the
            backend, or is too large.

    """
    without_server(text, surface=surface)


def operation_ids(text: str) -> list[str]:
    """Return the IDs of the operations of a definition that can be imported; those without an ID cannot be named."""
    paths = _read(text)["paths"]
    found = (item[method].get("operationId") for item in paths.values() for method in _operations(item))
    return [name for name in found if isinstance(name, str)]


def narrowed(document: dict[str, Any], operations: Collection[str] | None) -> dict[str, Any]:
    """Return the document with the operations of these IDs alone, or as it is if there is no choice."""
    if operations is None:
        return document
    paths = {}
    for path, item in document["paths"].items():
        dropped = {method for method in _operations(item) if item[method].get("operationId") not in operations}
        if dropped < set(_operations(item)):
            paths[path] = {name: part for name, part in item.items() if name not in dropped}
    return {**document, "paths": paths}


def without_server(
    text: str,
    *,
    surface: Surface = Surface.DATED,
    title: str | None = None,
    operations: Collection[str] | None = None,
) -> str:
    """Return the definition as it is imported: with `UNREACHABLE` as its server.

    On import, the definition's server becomes the API's `serviceUrl`, whatever the API itself says, and its title the
    API's display name (the latter inferred).

    Args:
        text: the definition.
        surface: surface whose backend its paths must fit.
        title: title to give it. None: its own.
        operations: IDs of the operations to keep. None: all.

    Raises:
        DefinitionError: As for `check_definition`.

    """
    document = _read(text)
    if not re.match(r"3\.[01]\b", str(document.get("openapi"))):
        raise DefinitionError('is not an OpenAPI 3 document; its "openapi" must be 3.0.x or 3.1.x: convert it')
    paths = document.get("paths")
    if not isinstance(paths, dict) or not any(_operations(item) for item in paths.values()):
        raise DefinitionError('has no operations; list them in its "paths"')
    _check_fit(document, list(paths), surface)
    document = {**narrowed(document, operations), "servers": [{"url": UNREACHABLE}]}
    if title is not None:
        info = document.get("info")
        document["info"] = {**(info if isinstance(info, dict) else {"version": "1"}), "title": title}
    result = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if (size := len(result.encode("utf-8", "surrogatepass"))) > _LARGEST:
        raise DefinitionError(f"has {size} bytes; allowed: up to 4 MB; shorten it")
    return result


def _read(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        # From Python 3.13 on the error is at the comma, before at the bracket.
        comma = re.search(r",\s*\Z", text[: error.pos]) or re.compile(",").match(text, error.pos)
        if comma is not None and re.compile(r",\s*[}\]]").match(text, comma.start()):
            problem = "there is a comma before the closing bracket; remove it"
            error = json.JSONDecodeError(problem, text, comma.start())
        else:
            error.msg = f"{error.msg[:1].lower()}{error.msg[1:]}; correct it, or convert the OpenAPI document to JSON"
        raise DefinitionError(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise DefinitionError("is nested too deeply; make it flatter") from None
    if not isinstance(document, dict):
        raise DefinitionError('is not an OpenAPI 3 document; its "openapi" must be 3.0.x or 3.1.x: convert it')
    return document


def _no_number(name: str) -> Never:
    raise DefinitionError(f"contains {name}, which JSON does not allow; give a number")


def _operations(item: object) -> list[str]:
    if not isinstance(item, dict):
        raise DefinitionError('has a path without a mapping of methods; correct its "paths"')
    found = [method for method in item if method in _METHODS]
    if not all(isinstance(item[method], dict) for method in found):
        raise DefinitionError('has a method without a mapping; correct its "paths"')
    return found


def _check_fit(document: dict[str, Any], paths: list[str], surface: Surface) -> None:
    """Refuse paths that do not exist below the backend's URL, such as `https://NAME.openai.azure.com/openai`."""
    base = f"/{surface.path}"
    example = "/deployments/{deployment-id}/chat/completions" if surface is Surface.DATED else "/chat/completions"
    expected = f"expected: paths below {base}, such as {example}"
    for path in paths:
        if any(
            f"{path}/".startswith(f"{repeated}/") for repeated in ("/openai", base.removeprefix("/openai")) if repeated
        ):
            raise DefinitionError(
                f"has the path {path!r}, and the backend's URL already ends in {base}, so it would lead to "
                f"{base + path!r}; {expected}: remove {_repeated(path)} from its paths"
            )
    if surface is Surface.DATED:
        _refuse_v1(document, paths, expected)
    else:
        _refuse_dated(paths, expected)


def _repeated(path: str) -> str:
    """Return what a path repeats of the backend's URL."""
    return "/".join(path.split("/")[: 3 if path.startswith("/openai/v1/") else 2])


def _refuse_v1(document: dict[str, Any], paths: list[str], expected: str) -> None:
    for path in paths:
        if _OF_A_DEPLOYMENT.fullmatch(path):
            raise DefinitionError(
                f"has the path {path!r} of the v1 API, which would lead to {'/openai' + path!r}, which does not exist; "
                f"{expected}: {_DATED_DEFINITION}"
            )
    server = _server_path(document)
    if server.endswith("/v1"):
        raise DefinitionError(
            f"has paths below {server!r}, the v1 API, which would lead to {'/openai' + paths[0]!r}; "
            f"{expected}: {_DATED_DEFINITION}"
        )


def _refuse_dated(paths: list[str], expected: str) -> None:
    for path in paths:
        if path.startswith("/deployments/"):
            raise DefinitionError(
                f"has the path {path!r} of the dated API, which would lead to {'/openai/v1' + path!r}, which does not "
                f"exist; {expected}: {_V1_DEFINITION}"
            )


def _server_path(document: dict[str, Any]) -> str:
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    url = first.get("url") if isinstance(first, dict) else None
    try:
        return urlsplit(str(url or "")).path.rstrip("/")
    except ValueError:
        return ""
