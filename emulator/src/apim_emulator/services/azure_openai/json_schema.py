"""JSON schemas of structured outputs: what strict mode takes, and values that validate.

The rules of strict mode are those of "Structured outputs" (Azure OpenAI): a subset of JSON Schema, every property
required, no other properties, 100 properties and five levels of nesting at most. Texts are OpenAI's. Callers have also
met limits of 5000 properties and ten levels; the documented ones hold here.
"""

import json
import math
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

MAX_PROPERTIES = 100
MAX_NESTING = 5
MAX_LENGTH = 10_000
"""Characters of a generated value, and steps taken to generate it."""

_MAX_DEPTH = 100
_MAX_PADDING = 1000
_MAX_NUMBER = 10**15
"""Bound of bounds, up to which whole numbers are exact."""
_ANNOTATIONS = frozenset(
    {"$comment", "$defs", "$id", "$schema", "default", "definitions", "deprecated", "description", "examples", "title"}
)
_PERMITTED = frozenset(
    {
        "$comment",
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "items",
        "properties",
        "required",
        "title",
        "type",
    }
)
"""Keywords of strict mode."""

_OF_TYPE = {
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
    "boolean": set(),
    "null": set(),
}
_HONOURED = frozenset().union(*_OF_TYPE.values(), {"type", "enum", "const", "anyOf", "$ref"})
"""Keywords that generated values obey."""

_FORMATS = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T12:00:00Z",
    "duration": "P1D",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}

_Place: TypeAlias = "tuple[_Place, str] | None"
"""Where a schema stands in another: the place of the one around it, and a key."""


class SchemaError(Exception):
    """A schema that strict mode refuses, or that the stand-in cannot generate a value for."""


class _EndlessError(Exception):
    """A schema that needs a value of itself inside that value."""


def check_strict(schema: object) -> None:
    """Raise `SchemaError` unless strict mode takes a schema."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or kind != "object":
        raise SchemaError(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'.")
    pending: list[tuple[object, _Place, int]] = [(schema, None, 0)]
    properties = 0
    while pending:
        part, place, level = pending.pop()
        if not isinstance(part, dict):
            raise _in(place, "schema must be an object.")
        properties += _check_keywords(part, place, schema)
        if properties > MAX_PROPERTIES:
            raise SchemaError(f"{properties} parameters exceeds limit of {MAX_PROPERTIES}.")
        if level > MAX_NESTING and (_is(part, "object") or _is(part, "array")):
            raise SchemaError(f"{level} levels of nesting exceeds limit of {MAX_NESTING}.")
        pending += [(child, (way, key), level + more) for child, way, key, more in _children(part, place)]


def _check_keywords(part: Schema, place: _Place, root: Schema) -> int:
    """Check a schema, its children aside; return how many properties it has."""
    for keyword in part:
        if keyword not in _PERMITTED:
            raise _in(place, f"'{keyword}' is not permitted.")
    if not part.keys() & {"type", "anyOf", "$ref", "enum", "const"}:
        raise _in(place, "schema must have a 'type' key.")
    if "$ref" in part:
        _resolve(root, part["$ref"])
    if _is(part, "array") and "items" not in part:
        raise _in(place, "array schema missing items.")
    return _check_object(part, place) if _is(part, "object") else 0


def _check_object(part: Schema, place: _Place) -> int:
    if part.get("additionalProperties") is not False:
        raise _in(place, "'additionalProperties' is required to be supplied and to be false.")
    required = part.get("required")
    known = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    properties = part.get("properties") or {}
    if not isinstance(properties, dict):
        raise _in(place, "'properties' must be an object.")
    rule = "'required' is required to be supplied and to be an array including every key in properties."
    for name in properties:
        if name not in known:
            raise _in(place, f"{rule} Missing '{name}'.")
    for name in known:
        if name not in properties:
            raise _in(place, f"{rule} Extra required key '{name}' supplied.")
    return len(properties)


def _is(part: Schema, kind: str) -> bool:
    types = part.get("type")
    return types == kind or (isinstance(types, list) and kind in types)


def _children(part: Schema, place: _Place) -> Iterator[tuple[object, _Place, str, int]]:
    """Yield the schemas in a schema, with their places, and the levels that lie between."""
    for keyword, levels in (("properties", 1), ("$defs", 0), ("definitions", 0)):
        below = part.get(keyword)
        if isinstance(below, dict):
            for name, child in below.items():
                yield child, (place, keyword), name, levels
    if "items" in part:
        yield part["items"], place, "items", 1
    alternatives = part.get("anyOf")
    if isinstance(alternatives, list):
        for index, child in enumerate(alternatives):
            yield child, (place, "anyOf"), str(index), 0


def _in(place: _Place, problem: str) -> SchemaError:
    keys = []
    while place is not None:
        place, key = place
        keys.append(key)
    return SchemaError(f"In context={tuple(reversed(keys))}, {problem}")


def _resolve(root: Schema, ref: object) -> object:
    if ref == "#":
        return root
    if isinstance(ref, str):
        for keyword in ("$defs", "definitions"):
            name = ref.removeprefix(f"#/{keyword}/")
            definitions = root.get(keyword)
            if name != ref and isinstance(definitions, dict) and name in definitions:
                return definitions[name]
    raise SchemaError(f"reference can only point to definitions at the top level of the schema, not to {ref!r:.100}.")


def instance(schema: object, text: str) -> object:
    """Return a small value that validates, whose strings are a text where they may be.

    Raises `SchemaError`, which names what the stand-in cannot obey.
    """
    if not isinstance(schema, dict):
        raise SchemaError("schema must be an object.")
    try:
        return _Generator(schema, text).value(schema, None, 0)
    except _EndlessError:
        raise SchemaError("no value is finite.") from None


class _Generator:
    """Generates one value, within a budget of characters."""

    def __init__(self, root: Schema, text: str) -> None:
        self._root = root
        self._text = text
        self._left = MAX_LENGTH
        self._inside: set[str] = set()

    def value(self, schema: object, place: _Place, depth: int) -> object:
        """Return a value for a schema that stands at a place, so many levels down."""
        self._spend(1, place)
        if schema is True:
            schema = {}
        if not isinstance(schema, dict):
            raise _in(place, "schema must be an object.")
        if depth > _MAX_DEPTH:
            raise _in(place, f"the stand-in generates at most {_MAX_DEPTH} levels.")
        rules = schema.keys() - _ANNOTATIONS
        _check_honoured(rules, place)
        if "$ref" in rules:
            return self._referred(schema["$ref"], place, depth)
        if "anyOf" in rules:
            alternatives = schema["anyOf"]
            if not isinstance(alternatives, list) or not alternatives:
                raise _in(place, "'anyOf' must be an array of schemas.")
            self._spend(len(alternatives), place)
            return self._first([(each, ((place, "anyOf"), str(i))) for i, each in enumerate(alternatives)], depth)
        if "const" in rules or "enum" in rules:
            return self._given(schema, place)
        types = schema.get("type")
        if isinstance(types, list) and types:
            return self._first([(_typed(schema, kind), place) for kind in types[:7]], depth)
        return self._typed_value(schema, types, place, depth)

    def _spend(self, characters: int, place: _Place) -> None:
        self._left -= characters
        if self._left < 0:
            raise _in(place, f"the stand-in generates at most {MAX_LENGTH} characters.")

    def _referred(self, ref: object, place: _Place, depth: int) -> object:
        target = _resolve(self._root, ref)
        name = str(ref)
        if name in self._inside:
            raise _EndlessError
        self._inside.add(name)
        try:
            return self.value(target, place, depth + 1)
        finally:
            self._inside.discard(name)

    def _first(self, alternatives: list[tuple[object, _Place]], depth: int) -> object:
        """Value of the first alternative that has an end."""
        for schema, place in alternatives:
            try:
                return self.value(schema, place, depth + 1)
            except _EndlessError:
                continue
        raise _EndlessError

    def _given(self, schema: Schema, place: _Place) -> object:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        types = schema.get("type")
        allowed = types[:7] if isinstance(types, list) else [types]
        for value in values if isinstance(values, list) else []:
            self._spend(1, place)
            if types is None or any(_is_a(value, kind) for kind in allowed):
                self._spend(len(json.dumps(value)), place)
                return value
        raise _in(place, "no value is allowed.")

    def _typed_value(self, schema: Schema, kind: object, place: _Place, depth: int) -> object:
        if kind is None:
            if schema.keys() - _ANNOTATIONS:
                kind = next((each for each, rules in _OF_TYPE.items() if rules & schema.keys()), "string")
            else:
                kind = "string"
        if kind == "object":
            return self._object(schema, place, depth)
        if kind == "array":
            return self._array(schema, place, depth)
        if kind == "string":
            return self._string(schema, place)
        if kind in ("number", "integer"):
            return _number(schema, place, whole=kind == "integer")
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        raise _in(place, f"{kind!r:.100} is not a type.")

    def _object(self, schema: Schema, place: _Place, depth: int) -> Schema:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise _in(place, "'properties' must be an object and 'required' an array.")
        self._spend(len(required), place)
        if not all(isinstance(name, str) for name in required):
            raise _in(place, "'required' must be an array of strings.")
        names = dict.fromkeys(required)
        least, most = _bound(schema, "minProperties", 0, place), _bound(schema, "maxProperties", math.inf, place)
        optional = iter(properties)
        while len(names) < least:
            name = next(optional, None)
            if name is None:
                raise _in(place, f"the stand-in cannot generate {least} properties without their names.")
            names[name] = None
        if len(names) > most:
            raise _in(place, "no value is allowed.")
        found: Schema = {}
        for name in names:
            self._spend(len(name), place)
            if name not in properties and schema.get("additionalProperties", True) is False:
                raise _in(place, f"no value is allowed for '{name}'.")
            inner = properties[name] if name in properties else schema.get("additionalProperties", True)
            found[name] = self.value(inner, ((place, "properties"), name), depth + 1)
        return found

    def _array(self, schema: Schema, place: _Place, depth: int) -> list[object]:
        least, most = _bound(schema, "minItems", 0, place), _bound(schema, "maxItems", math.inf, place)
        if least > most:
            raise _in(place, "no value is allowed.")
        if schema.get("uniqueItems") and least > 1:
            raise _in(place, "the stand-in cannot generate values that obey 'uniqueItems' and 'minItems'.")
        items: list[object] = []
        try:
            while len(items) < max(least, min(1, most)):
                items.append(self.value(schema.get("items", True), (place, "items"), depth + 1))
        except _EndlessError:
            if least > 0:
                raise
        return items

    def _string(self, schema: Schema, place: _Place) -> str:
        least, most = _bound(schema, "minLength", 0, place), _bound(schema, "maxLength", math.inf, place)
        if "format" in schema:
            text = _FORMATS.get(str(schema["format"]), "")
            if not text or not least <= len(text) <= most:
                raise _in(place, "the stand-in cannot generate values that obey 'format' here.")
        elif least > most or least > _MAX_PADDING:
            raise _in(place, "the stand-in cannot generate values that obey 'minLength' here.")
        else:
            text = self._text.ljust(int(least), ".")[: None if most == math.inf else int(most)]
        self._spend(len(text), place)
        return text


def _check_honoured(rules: Collection[str], place: _Place) -> None:
    """Refuse a schema that the stand-in cannot obey."""
    rules = set(rules)
    for keyword in sorted(rules - _HONOURED):
        raise _in(place, f"the stand-in cannot generate values that obey '{keyword:.100}'.")
    for keyword in ("$ref", "anyOf", "const", "enum"):
        if keyword in rules:
            allowed = {keyword, "type"} if keyword in ("const", "enum") else {keyword}
            for other in sorted(rules - allowed):
                raise _in(place, f"the stand-in cannot generate values that obey '{keyword}' and '{other}'.")


def _typed(schema: Schema, kind: object) -> Schema:
    """Keep one type of a schema, and the rules that are not for other types alone."""
    others = set().union(*_OF_TYPE.values()) - _OF_TYPE.get(str(kind), set())
    return {keyword: rule for keyword, rule in schema.items() if keyword not in others} | {"type": kind}


def _is_a(value: object, kind: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return kind in ("integer", "number")
    kinds: dict[str, type] = {"string": str, "number": float, "array": list, "object": dict, "null": type(None)}
    return isinstance(kind, str) and kind in kinds and isinstance(value, kinds[kind])


def _bound(schema: Schema, keyword: str, otherwise: float, place: _Place) -> float:
    value = schema.get(keyword, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _in(place, f"'{keyword}' must be a number.")
    if keyword in schema and not abs(value) <= _MAX_NUMBER:  # which is true of no number, too
        raise _in(place, f"'{keyword}' is too large.")
    return value


def _number(schema: Schema, place: _Place, *, whole: bool) -> float:
    """Return zero where it is allowed, else what is nearest to a bound."""
    low, high = _bound(schema, "minimum", -math.inf, place), _bound(schema, "maximum", math.inf, place)
    above = _bound(schema, "exclusiveMinimum", -math.inf, place)
    below = _bound(schema, "exclusiveMaximum", math.inf, place)

    def allowed(number: float) -> bool:
        return low <= number <= high and above < number < below

    candidates: list[float] = [0]
    floor, ceiling = max(low, above), min(high, below)
    if whole or "multipleOf" in schema:
        step = _bound(schema, "multipleOf", 1, place)
        if step <= 0 or step != int(step):
            if allowed(0):
                return 0
            raise _in(place, "the stand-in cannot generate values that obey 'multipleOf' here.")
        step = int(step)
        if floor != -math.inf:
            first = -(-math.ceil(floor) // step) * step
            candidates += [first, first + step]
        elif ceiling != math.inf:
            last = math.floor(ceiling) // step * step
            candidates += [last, last - step]
    else:
        candidates += [floor, ceiling, floor + 1, ceiling - 1, floor / 2 + ceiling / 2]
    for number in candidates:
        if math.isfinite(number) and allowed(number):
            return number
    raise _in(place, "no value is allowed.")
