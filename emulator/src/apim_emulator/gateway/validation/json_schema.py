"""JSON schemas of OpenAPI 3 documents, compiled once to checks; an unknown keyword is refused, never skipped."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from apim_emulator.csharp.runtime.exceptions import EvaluationError, StoppedError
from apim_emulator.csharp.runtime.meter import evaluated
from apim_emulator.csharp.runtime.regex import Regex, compiled
from apim_emulator.csharp.runtime.values import RegexOptions

Check = Callable[[Any], list[str]]
"""Gives what is wrong with a value and where, such as `$.messages[0].role: must be string`."""

_Check = Callable[[Any, str], Iterator[str]]
"""The same inside: value and path."""

_ANNOTATIONS = frozenset(
    {
        "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "xml",
        "externalDocs", "discriminator", "format", "nullable", "exclusiveMinimum", "exclusiveMaximum", "$comment",
    }
)  # fmt: skip
"""Keywords that say nothing on their own about whether a value is right; `format` is one (inferred)."""

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
_MOST_ERRORS = 20


class Schemas:
    """Compiles the schemas of one document, each reference once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take the document into which references lead."""
        self._document = document
        self._referred: dict[tuple[str, bool | None], _Check] = {}

    def resolved(self, node: Any) -> Any:
        """Follow a reference, if it is one; raises `ValueError` for one that leads nowhere in the document."""
        for _ in range(20):
            if not isinstance(node, Mapping) or "$ref" not in node:
                return node
            node = self._at(node["$ref"])
        raise ValueError("a reference leads to itself")

    def check(self, schema: Any, *, additional: bool | None = None) -> Check:
        """Compile a schema; `additional` goes before every `additionalProperties`. Raises `ValueError`."""
        compiled = self._compiled(schema, additional)

        def errors(value: Any) -> list[str]:
            try:
                return list(islice(compiled(value, "$"), _MOST_ERRORS))
            except RecursionError:
                return ["$: nested too deep"]

        return errors

    def _at(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise ValueError(f"reference {reference!r} leads out of the document")
        node: Any = self._document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, Mapping) or key not in node:
                raise ValueError(f"reference {reference!r} leads nowhere")
            node = node[key]
        return node

    def _compiled(self, schema: Any, additional: bool | None) -> _Check:
        if isinstance(schema, bool):
            return _anything if schema else _nothing
        if not isinstance(schema, Mapping):
            raise ValueError("a schema is no object")
        if "$ref" in schema:
            return self._reference(schema["$ref"], additional)
        checks = [self._keyword(name, schema, additional) for name in schema if not _says_nothing(name)]
        if additional is not None and "additionalProperties" not in schema and "properties" in schema:
            checks.append(self._additional(schema, additional))
        nullable = schema.get("nullable") is True

        def check(value: Any, path: str) -> Iterator[str]:
            if value is not None or not nullable:
                for one in checks:
                    yield from one(value, path)

        return check

    def _reference(self, reference: Any, additional: bool | None) -> _Check:
        key = (str(reference), additional)

        def follow(value: Any, path: str) -> Iterator[str]:
            return self._referred[key](value, path)

        if key not in self._referred:
            # Kept before it is compiled: a schema may refer to itself.
            self._referred[key] = follow
            self._referred[key] = self._compiled(self._at(reference), additional)
        return follow

    def _keyword(self, name: str, schema: Mapping[str, Any], additional: bool | None) -> _Check:
        given = schema[name]
        if name in _LIMITS:
            return _limit(name, given)
        if name in {"allOf", "anyOf", "oneOf"}:
            return _combined(name, [self._compiled(one, additional) for one in given])
        if name == "not":
            return _inverted(self._compiled(given, additional))
        if name == "items":
            return _items(self._compiled(given, additional))
        if name == "properties":
            return _properties({key: self._compiled(one, additional) for key, one in given.items()})
        if name == "additionalProperties":
            return self._additional(schema, additional)
        if name in _VALUES:
            return _VALUES[name](given, schema)
        raise ValueError(f"schema keyword {name} is not supported")

    def _additional(self, schema: Mapping[str, Any], additional: bool | None) -> _Check:
        rule = schema.get("additionalProperties", True) if additional is None else additional
        check, named = self._compiled(rule, additional), frozenset(schema.get("properties", ()))

        def others(value: Any, path: str) -> Iterator[str]:
            if isinstance(value, dict):
                for key in value.keys() - named:
                    yield from check(value[key], f"{path}.{key}")

        return others


def _says_nothing(name: str) -> bool:
    return name in _ANNOTATIONS or name.startswith("x-")


def _anything(_value: Any, _path: str) -> Iterator[str]:
    return iter(())


def _nothing(_value: Any, path: str) -> Iterator[str]:
    yield f"{path}: is not allowed"


def _test(of: type | tuple[type, ...], is_right: Callable[[Any], bool], message: str) -> _Check:
    """Make a check of values of a Python type; others pass."""

    def check(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, of) and not isinstance(value, bool) and not is_right(value):
            yield f"{path}: {message}"

    return check


_LIMITS: dict[str, tuple[type, Callable[[int, int], bool], str]] = {
    "minLength": (str, int.__ge__, "length must be at least"),
    "maxLength": (str, int.__le__, "length must be at most"),
    "minItems": (list, int.__ge__, "number of items must be at least"),
    "maxItems": (list, int.__le__, "number of items must be at most"),
    "minProperties": (dict, int.__ge__, "number of properties must be at least"),
    "maxProperties": (dict, int.__le__, "number of properties must be at most"),
}


def _limit(name: str, given: Any) -> _Check:
    of, compare, message = _LIMITS[name]
    if not isinstance(given, int):
        raise ValueError(f"schema keyword {name} needs a whole number")
    return _test(of, lambda value: compare(len(value), given), f"{message} {given}")


def _type(given: Any, _schema: Mapping[str, Any]) -> _Check:
    names = given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) and name in _TYPES for name in names):
        raise ValueError(f"schema type {given!r} is not known")
    tests = [_TYPES[name] for name in names]

    def check(value: Any, path: str) -> Iterator[str]:
        if not any(test(value) for test in tests):
            yield f"{path}: must be {' or '.join(names)}"

    return check


def _enum(given: Any, _schema: Mapping[str, Any]) -> _Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not any(type(value) is type(one) and value == one for one in given):
            yield f"{path}: is not one of the values that are allowed"

    return check


def _pattern(given: Any, _schema: Mapping[str, Any]) -> _Check:
    try:
        pattern = compiled(given, RegexOptions["None"]) if isinstance(given, str) else None
    except EvaluationError:
        pattern = None
    if pattern is None:
        raise ValueError("schema keyword pattern is no regular expression that is supported")
    return _test(str, lambda value: _is_found(pattern, value), "does not match the pattern")


def _is_found(pattern: Regex, value: str) -> bool:
    """Search within the bounds of an expression; a text beyond them, or where .NET may differ, does not match."""
    try:
        return evaluated(pattern.find, value) is not None
    except StoppedError:
        return False


def _minimum(given: Any, schema: Mapping[str, Any]) -> _Check:
    if schema.get("exclusiveMinimum") is True:
        return _test((int, float), lambda value: bool(value > given), f"must be above {given}")
    return _test((int, float), lambda value: bool(value >= given), f"must be at least {given}")


def _maximum(given: Any, schema: Mapping[str, Any]) -> _Check:
    if schema.get("exclusiveMaximum") is True:
        return _test((int, float), lambda value: bool(value < given), f"must be below {given}")
    return _test((int, float), lambda value: bool(value <= given), f"must be at most {given}")


def _multiple(given: Any, _schema: Mapping[str, Any]) -> _Check:
    if not _TYPES["number"](given) or given <= 0:
        raise ValueError("schema keyword multipleOf needs a number above 0")
    return _test((int, float), lambda value: bool(value % given == 0), f"must be a multiple of {given}")


def _unique(given: Any, _schema: Mapping[str, Any]) -> _Check:
    def is_unique(value: list[Any]) -> bool:
        return not given or all(one not in value[:index] for index, one in enumerate(value))

    return _test(list, is_unique, "items must be unique")


def _required(given: Any, _schema: Mapping[str, Any]) -> _Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{path}: {name} is required" for name in given if name not in value)

    return check


_VALUES: dict[str, Callable[[Any, Mapping[str, Any]], _Check]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda given, schema: _enum([given], schema),
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "multipleOf": _multiple,
    "uniqueItems": _unique,
    "required": _required,
}


def _items(check: _Check) -> _Check:
    def each(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from check(item, f"{path}[{index}]")

    return each


def _properties(checks: Mapping[str, _Check]) -> _Check:
    def each(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name in value.keys() & checks.keys():
                yield from checks[name](value[name], f"{path}.{name}")

    return each


def _combined(name: str, checks: list[_Check]) -> _Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if name == "allOf":
            for one in checks:
                yield from one(value, path)
            return
        fitting = sum(next(one(value, path), None) is None for one in checks)
        if not fitting or (name == "oneOf" and fitting > 1):
            yield f"{path}: must follow {'one' if name == 'oneOf' else 'any'} of {len(checks)} schemas"

    return check


def _inverted(check: _Check) -> _Check:
    def inverted(value: Any, path: str) -> Iterator[str]:
        if next(check(value, path), None) is None:
            yield f"{path}: follows a schema that it must not follow"

    return inverted
