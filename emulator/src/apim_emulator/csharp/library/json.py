"""Json.NET: tokens, and `JsonConvert`."""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

from apim_emulator.csharp.library.collections import lazy
from apim_emulator.csharp.library.table import CHECKS, Generic, define, define_extensions
from apim_emulator.csharp.runtime import jtokens, strings
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.json_text import is_unfinished, read, token_text, write
from apim_emulator.csharp.runtime.jtokens import JArray, JContainer, JObject, JProperty, JToken, JValue
from apim_emulator.csharp.runtime.meter import passed
from apim_emulator.csharp.runtime.system_convert import token_value
from apim_emulator.csharp.runtime.values import (
    Array,
    Dictionary,
    Formatting,
    Int64,
    JTokenType,
    Lazy,
    List,
    StringComparison,
    type_of,
)
from apim_emulator.csharp.types import Type

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,9})\]|\['([^'\\\]]*)'\]", re.ASCII)


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[tuple[str | None, str | None], ...]:
    """Read a path of names and places, such as `$.a.b[0]`."""
    body = path.removeprefix("$")
    place = 0
    steps: list[tuple[str | None, str | None]] = []
    if not path.startswith("$") and body.startswith("."):
        raise unsure("this JSON path")
    while place < len(body):
        step = _STEP.match(body, place)
        if step is None or ((place or path.startswith("$")) and step[1] is not None and body[place] != "."):
            raise unsure("this JSON path")
        place = step.end()
        steps.append((step[1] or step[3], step[2]))
    return tuple(steps)


CHECKS["path"] = _steps


def _select(token: JToken, path: str | None, throws: bool = False) -> JToken | None:
    """`SelectToken`."""
    if path is None:
        raise EvaluationError("ArgumentNullException")
    found: JToken | None = token
    for name, index in _steps(path):
        found = None if found is None else _step(found, name, index)
    if found is None and throws:
        raise EvaluationError("JsonException")
    return found


def _step(token: JToken, name: str | None, index: str | None) -> JToken | None:
    if name is not None:
        return token.get(name) if isinstance(token, JObject) else None
    if isinstance(token, JArray):
        return token.items[int(index or 0)] if int(index or 0) < len(token.items) else None
    return None


def _children(token: JToken) -> Lazy:
    return lazy(lambda: iter(token))


def _children_of(type_: Type) -> Callable[[JToken], Lazy]:
    return lambda token: lazy(lambda: (child for child in token if type_of(child).refers_to(type_)))


def _first(token: JToken) -> JToken | None:
    if isinstance(token, JValue):
        raise EvaluationError("InvalidOperationException")
    children = token.children()
    return children[0] if children else None


def _last(token: JToken) -> JToken | None:
    if isinstance(token, JValue):
        raise EvaluationError("InvalidOperationException")
    children = token.children()
    return children[-1] if children else None


def _replace(token: JToken, value: JToken | None) -> None:
    parent = token.parent
    if isinstance(parent, JProperty):
        parent.value = value
    elif isinstance(parent, JArray):
        passed(8 * len(parent.items))
        parent.set_item(next(place for place, item in enumerate(parent.items) if item is token), value)
    elif parent is None:
        raise EvaluationError("InvalidOperationException")
    else:
        raise unsure("Replace of a property")


def _value_at(type_: Type) -> Callable[[JToken, object], Any]:
    return lambda token, key: token_value(token.item(key), type_)


def _own_value(type_: Type) -> Callable[[Any], Any]:
    def call(token: Any) -> Any:
        if token is None:
            raise EvaluationError("ArgumentNullException")
        if not isinstance(token, JToken):
            raise EvaluationError("ArgumentException")
        return token_value(token, type_)

    return call


def _values(type_: Type) -> Callable[[JToken], Lazy]:
    def start(token: JToken) -> Iterator[Any]:
        for child in token:
            yield token_value(child, type_)

    def call(token: JToken) -> Lazy:
        if isinstance(token, JValue):
            raise EvaluationError("InvalidOperationException")
        if isinstance(token, JObject):
            raise unsure("Values<T>() of an object")
        return lazy(lambda: start(token))

    return call


def _to_object(type_: Type) -> Callable[[JToken], Any]:
    """`ToObject<T>()` for tokens, simple values, and arrays of strings."""
    if type_.base("JToken") is not None:
        return lambda token: _token_as(token, type_)
    if type_.name in {"[]", "List"} and type_.args[0] == Type.STRING:
        return lambda token: _string_items(token, type_)
    if type_.name in {"Dictionary", "IDictionary"} and type_.args == (Type.STRING, Type.STRING):
        return _text_table
    if type_.name in _SIMPLE_KINDS:
        return lambda token: _simple(token, type_)
    raise unsure(f"{type_} from JSON")


def _text_table(token: JToken) -> Dictionary:
    """`ToObject<Dictionary<string, string>>()`, of an object whose values are texts or null."""
    table = Dictionary(Type("Dictionary", (Type.STRING, Type.STRING)), {})
    found = [one.value for one in token if isinstance(one, JProperty)] if isinstance(token, JObject) else [token]
    for value in found:
        if not isinstance(value, JValue) or value.kind not in {JTokenType.String, JTokenType.Null}:
            raise unsure("a dictionary of texts from this token")
        if isinstance(value.parent, JProperty):
            table.items[value.parent.name] = value.value
    if found == [token]:
        raise unsure("a dictionary of texts from this token")
    return table


def _token_as(token: JToken, type_: Type) -> JToken | None:
    if isinstance(token, JProperty):
        raise unsure("ToObject of a property")
    if isinstance(token, JValue) and token.value is None and type_.name != "JToken":
        raise unsure("ToObject of null")
    if not type_of(token).refers_to(type_):
        raise unsure("ToObject of another kind of token")
    return token.clone()


def _string_items(token: JToken, type_: Type) -> Any:
    if not isinstance(token, JArray) or any(item.kind is not JTokenType.String for item in token.items):
        raise unsure(f"ToObject<{type_}>() of this token")
    values = [item.value for item in token.items if isinstance(item, JValue)]
    return Array(Type.STRING, values) if type_.name == "[]" else List(type_, values)


_SIMPLE_KINDS = {
    "string": {JTokenType.String},
    "int": {JTokenType.Integer},
    "long": {JTokenType.Integer},
    "bool": {JTokenType.Boolean},
    "double": {JTokenType.Float, JTokenType.Integer},
}


def _simple(token: JToken, type_: Type) -> Any:
    if not isinstance(token, JValue) or token.kind not in _SIMPLE_KINDS[type_.name] or token.value is None:
        raise unsure(f"ToObject<{type_}>() of this token")
    return token_value(token, type_)


def _formatted(token: JToken, formatting: Enum) -> str:
    return write(token, indented=formatting is Formatting.Indented)


def _parse(kind: type[JToken]) -> Callable[[str | None], JToken]:
    return lambda text: read(text, kind)


def _from_object(kind: type[JToken]) -> Callable[[object], JToken]:
    def call(value: object) -> JToken:
        if value is None:
            raise EvaluationError("ArgumentNullException")
        found = jtokens.token_of(value)
        if not isinstance(found, kind):
            raise EvaluationError("ArgumentException")
        return found

    return call


def _deep_equals(one: JToken | None, other: JToken | None) -> bool:
    if one is None or other is None:
        return one is other
    return write(one, indented=False) == write(other, indented=False) if _plain(one) and _plain(other) else _unsure()


def _plain(token: JToken) -> bool:
    """Whether a token's text is all that it is: no floats, dates or objects, whose order does not count."""
    if isinstance(token, JValue):
        return token.kind in {JTokenType.String, JTokenType.Integer, JTokenType.Boolean, JTokenType.Null}
    return isinstance(token, JArray) and all(map(_plain, token.items))


def _unsure() -> bool:
    raise unsure("DeepEquals of these tokens")


define(
    "JToken",
    properties_={
        "First: JToken": _first,
        "HasValues: bool": lambda token: token.count() > 0,
        "Last: JToken": _last,
        "Type: JTokenType": lambda token: token.kind,
    },
    indexers={"this(object): JToken": lambda token, key: token.item(key)},
    index_setters={"this(object, JToken): JToken": lambda token, key, value: token.set_item(key, value)},
    methods={
        "Children(): IEnumerable<JToken>": _children,
        "Children<U>(): IEnumerable<U>": Generic(_children_of),
        "DeepClone(): JToken": lambda token: token.clone(),
        "Remove(): void": lambda token: token.remove(),
        "Replace(JToken): void": _replace,
        "SelectToken(string path): JToken": _select,
        "SelectToken(string path, bool): JToken": _select,
        "ToObject<U>(): U": Generic(_to_object),
        "ToString(): string": token_text,
        "ToString(Formatting): string": _formatted,
        "Value<U>(object): U": Generic(_value_at),
        "Values<U>(): IEnumerable<U>": Generic(_values),
    },
    statics={
        "DeepEquals(JToken, JToken): bool": _deep_equals,
        "FromObject(object): JToken": _from_object(JToken),
        "Parse(string): JToken": _parse(JToken),
    },
)
define_extensions({"Value<U>(this IEnumerable<JToken>): U": Generic(_own_value)})


# Containers


def _filled(container: JContainer, content: object) -> None:
    """Add content to an object or an array: one piece, or each of several."""
    several = jtokens.pieces(content)
    if several is not None:
        expected = container.count()
        for piece in several:
            if container.count() != expected:
                # Json.NET counts pieces, not tokens, to find the next one's place.
                raise unsure("the order of what several lists hold")
            _filled(container, piece)
            expected += 1
    elif isinstance(container, JObject):
        container.add(content)
    elif isinstance(container, JArray):
        container.add(jtokens.content_token(content))


def _new_container(kind: type[JObject] | type[JArray]) -> Callable[..., JContainer]:
    def create(content: object = None) -> JContainer:
        container = kind()
        _filled(container, content)
        return container

    return create


def _copied(other: JToken | None) -> JToken:
    if other is None:
        raise EvaluationError("ArgumentNullException")
    return other.clone()


def _new_property(name: str | None, content: object) -> JProperty:
    if name is None:
        raise EvaluationError("ArgumentNullException")
    several = jtokens.pieces(content)
    if several is None:
        return JProperty(name, jtokens.content_token(content))
    array = JArray()
    _filled(array, content)
    return JProperty(name, array)


def _property(container: JObject, name: str | None) -> JProperty | None:
    return container.properties.get(name) if name is not None else None


def _removed(container: JObject, name: str | None) -> bool:
    found = _property(container, name)
    if found is not None:
        container.drop(found)
    return found is not None


def _named(container: JObject, name: str | None) -> JToken | None:
    return None if name is None else container.get(name)


def _named_alike(container: JObject, name: str | None, comparison: StringComparison) -> JToken | None:
    """`GetValue(name, comparison)`: the very name goes before one that is equal by the comparison."""
    found = _named(container, name)
    if found is not None or name is None:
        return found
    names = container.properties
    passed(16 * len(names))
    return next((names[one].value for one in names if strings.equals(one, name, comparison)), None)


def _tried(container: JObject, name: str | None) -> tuple[bool, JToken | None]:
    found = _property(container, name)
    return found is not None, None if found is None else found.value


def _contains_key(container: JObject, name: str | None) -> bool:
    if name is None:
        raise EvaluationError("ArgumentNullException")
    return name in container.properties


def _add_named(container: JObject, name: str | None, value: JToken | None) -> None:
    if name is None:
        raise EvaluationError("ArgumentNullException")
    container.add(JProperty(name, value))


define(
    "JContainer",
    properties_={"Count: int": lambda container: container.count()},
    methods={"Add(object): void": _filled},
)
define(
    "JObject",
    indexers={"this(string): JToken": JObject.get, "this(object): JToken": JObject.item},
    index_setters={"this(string, JToken): JToken": JObject.set, "this(object, JToken): JToken": JObject.set_item},
    methods={
        "Add(string, JToken): void": _add_named,
        "ContainsKey(string): bool": _contains_key,
        "GetValue(string): JToken": _named,
        "GetValue(string, StringComparison): JToken": _named_alike,
        "Properties(): IEnumerable<JProperty>": lambda container: lazy(lambda: iter(container)),
        "Property(string): JProperty": _property,
        "Remove(string): bool": _removed,
        "TryGetValue(string, out JToken): bool": _tried,
    },
    constructors={
        "new(): JObject": JObject,
        "new(params object[]): JObject": _new_container(JObject),
        "new(object): JObject": _new_container(JObject),
        "new(JObject): JObject": _copied,
    },
    statics={
        "FromObject(object): JObject": _from_object(JObject),
        "Parse(string): JObject": _parse(JObject),
    },
)


def _place(array: JArray, token: JToken | None) -> int:
    """`IndexOf(token)`: Json.NET looks for the very token, not for an equal one."""
    passed(8 * len(array.items))
    return next((place for place, item in enumerate(array.items) if item is token), -1)


define(
    "JArray",
    indexers={"this(int): JToken": JArray.item, "this(object): JToken": JArray.item},
    index_setters={"this(int, JToken): JToken": JArray.set_item, "this(object, JToken): JToken": JArray.set_item},
    methods={
        "Add(JToken): void": JArray.add,
        "Clear(): void": JArray.clear,
        "Contains(JToken): bool": lambda array, token: _place(array, token) >= 0,
        "IndexOf(JToken): int": _place,
        "Insert(int, JToken): void": JArray.insert,
        "RemoveAt(int): void": JArray.remove_at,
    },
    constructors={
        "new(): JArray": JArray,
        "new(params object[]): JArray": _new_container(JArray),
        "new(object): JArray": _new_container(JArray),
        "new(JArray): JArray": _copied,
    },
    statics={
        "FromObject(object): JArray": _from_object(JArray),
        "Parse(string): JArray": _parse(JArray),
    },
)


def _set_value(token: JProperty, value: JToken | None) -> None:
    token.value = value


define(
    "JProperty",
    properties_={"Name: string": lambda token: token.name, "Value: JToken": lambda token: token.value},
    setters={"Value: JToken": _set_value},
    constructors={
        "new(string, object): JProperty": _new_property,
        "new(string, params object[]): JProperty": _new_property,
    },
)


def _inner(token: JValue) -> object:
    if token.kind is JTokenType.Integer:
        raise unsure("whether a JSON number is an Int32 or an Int64")
    value: object = token.value
    return value


define(
    "JValue",
    properties_={"Value: object": _inner},
    constructors={
        "new(string): JValue": lambda value: JValue(value, JTokenType.String),
        "new(object): JValue": jtokens.value_token,
    },
)


# JsonConvert


def _serialized(value: object, formatting: Enum = Formatting["None"]) -> str:
    return write(jtokens.token_of(value), indented=formatting is Formatting.Indented)


def _deserialized(type_: Type) -> Callable[[str | None], Any]:
    make = None if type_ == Type.OBJECT else _to_object(type_)
    of_tokens = make is None or type_.base("JToken") is not None

    def call(text: str | None) -> Any:
        if text is None:
            raise EvaluationError("ArgumentNullException")
        if not text.strip():
            raise unsure("DeserializeObject of nothing")
        try:
            token = read(text)
        except EvaluationError as error:
            # Json.NET sees the wrong type first, and some versions take what ends too early.
            if error.exception == "JsonReaderException" and (is_unfinished(text) or not of_tokens):
                raise unsure("DeserializeObject of broken JSON") from None
            raise
        if make is not None:
            return make(token)
        if isinstance(token, JValue):
            return Int64(token.value) if token.kind is JTokenType.Integer else token.value
        return token

    return call


define(
    "JsonConvert",
    statics={
        "DeserializeObject(string): object": _deserialized(Type.OBJECT),
        "DeserializeObject<U>(string): U": Generic(_deserialized),
        "SerializeObject(object): string": _serialized,
        "SerializeObject(object, Formatting): string": _serialized,
    },
)
