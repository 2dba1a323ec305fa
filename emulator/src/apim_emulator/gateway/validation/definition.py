"""What an API's OpenAPI definition says about its operations, for the `validate-*` policies."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.validation.json_schema import Check, Schemas
from apim_emulator.model import Api, Operation

_TYPES = frozenset({"string", "integer", "number", "boolean", "array"})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request, or a header of a response."""

    name: str
    required: bool
    type: str
    item_type: str
    """Type of the items of an array."""
    exploded: bool
    """Whether an array comes as several parameters rather than as one with commas."""
    check: Check

    def parsed(self, values: list[str]) -> Any:
        """Read the values by type; raises `ValueError` for what cannot be read."""
        if self.type != "array":
            return _scalar(values[0], self.type)
        parts = values if self.exploded else [part for value in values for part in value.split(",")]
        return [_scalar(part, self.item_type) for part in parts]


class Content:
    """A body of one content type."""

    def __init__(self, schema: Any, schemas: Schemas) -> None:
        """Take its schema."""
        reference = schema.get("$ref", "") if isinstance(schema, Mapping) else ""
        self.definition = str(reference).rpartition("/")[2]
        """Name of the schema, empty where it has none."""
        self._schema = schema
        self._schemas = schemas
        self._checks: dict[bool | None, Check] = {}

    def check(self, additional: bool | None) -> Check:
        """Return the check of its JSON, compiled when first asked for; raises `ValueError` then."""
        if additional not in self._checks:
            self._checks[additional] = self._schemas.check(self._schema, additional=additional)
        return self._checks[additional]


@dataclass(frozen=True, slots=True)
class ResponseDefinition:
    """A response by status code."""

    headers: tuple[Parameter, ...]
    contents: Mapping[str, Content]


@dataclass(frozen=True, slots=True)
class OperationDefinition:
    """An operation."""

    parameters: Mapping[str, tuple[Parameter, ...]]
    """By place: `path`, `query` or `header`."""
    contents: Mapping[str, Content]
    """Request bodies by content type in lower case."""
    responses: Mapping[str, ResponseDefinition]
    """By status code, `4XX` or `default`."""

    def response(self, status: int) -> ResponseDefinition | None:
        """Find the response of a status code; `default` stands for all others (inferred)."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return self.responses[key]
        return None


class Definitions:
    """The operations that a policy may meet."""

    def __init__(self, apis: Iterable[Api]) -> None:
        """Read their definitions; raises `ValueError` with the first reason why a policy could not rely on them."""
        self._operations: dict[tuple[str, str], OperationDefinition] = {}
        for api in apis:
            document = api.definition
            if document is None:
                raise ValueError(f"the definition of the API {api.id} is not known, only its operations")
            schemas = Schemas(document)
            for operation in api.operations:
                try:
                    self._operations[api.id, operation.name] = _operation(document, operation, schemas)
                except ValueError as error:
                    raise ValueError(f"definition of the API {api.id}, operation {operation.name}: {error}") from None

    def contents(self) -> Iterator[Content]:
        """Go through every body that they describe."""
        for operation in self._operations.values():
            yield from operation.contents.values()
            for response in operation.responses.values():
                yield from response.contents.values()

    def of(self, exchange: Exchange) -> OperationDefinition | None:
        """Find the operation of a call; None where none was matched."""
        context = exchange.context
        if context.api is None or context.operation is None:
            return None
        return self._operations.get((context.api.id, context.operation.id))


def _operation(document: Mapping[str, Any], operation: Operation, schemas: Schemas) -> OperationDefinition:
    item = schemas.resolved((document.get("paths") or {}).get(operation.path))
    found = (item or {}).get(operation.method.lower())
    if not isinstance(found, Mapping):
        raise ValueError("it is not in the definition")
    places: dict[str, dict[str, Parameter]] = {"path": {}, "query": {}, "header": {}}
    for node in (*item.get("parameters", ()), *found.get("parameters", ())):
        given = schemas.resolved(node)
        if given.get("in") in places:
            places[given["in"]][given["name"].lower()] = _parameter(given["name"], given, given["in"], schemas)
    body = schemas.resolved(found.get("requestBody") or {})
    return OperationDefinition(
        parameters={place: tuple(named.values()) for place, named in places.items()},
        contents=_contents(body, schemas),
        responses={str(status).replace("xx", "XX"): _response(schemas.resolved(node), schemas)
                   for status, node in (found.get("responses") or {}).items()},
    )  # fmt: skip


def _response(node: Mapping[str, Any], schemas: Schemas) -> ResponseDefinition:
    headers = {name: schemas.resolved(header) for name, header in (node.get("headers") or {}).items()}
    return ResponseDefinition(
        tuple(_parameter(name, header, "header", schemas) for name, header in headers.items()), _contents(node, schemas)
    )


def _contents(node: Mapping[str, Any], schemas: Schemas) -> dict[str, Content]:
    return {
        media_type(name): Content((media or {}).get("schema", {}), schemas)
        for name, media in (node.get("content") or {}).items()
    }


def media_type(text: str) -> str:
    """Return a content type in lower case and without its parameters."""
    return text.partition(";")[0].strip().lower()


def _parameter(name: str, node: Mapping[str, Any], place: str, schemas: Schemas) -> Parameter:
    if "content" in node:
        raise ValueError(f"parameter {name} with content is not supported")
    schema = node.get("schema", {})
    kind = _type(name, schemas.resolved(schema))
    style = node.get("style", "form" if place == "query" else "simple")
    if kind == "array" and style not in {"form", "simple"}:
        raise ValueError(f"parameter {name}: style {style} is not supported")
    item_type = "string"
    if kind == "array":
        item_type = _type(name, schemas.resolved(schemas.resolved(schema).get("items", {})))
    exploded = place == "query" and node.get("explode", True) is True
    return Parameter(name, node.get("required") is True, kind, item_type, exploded, schemas.check(schema))


def _type(name: str, schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "string")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"parameter {name}: type {kind!r} is not supported")
    return kind


def _scalar(text: str, kind: str) -> Any:
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return int(text) if _INTEGER.fullmatch(text) else float(text)
    if kind == "string":
        return text
    raise ValueError(f"not {kind}")
