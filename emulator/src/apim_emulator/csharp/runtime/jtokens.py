"""Json.NET's `JToken` and what derives from it: values that know their parent, in objects that keep their order."""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from apim_emulator.csharp.runtime.dates import DateTime, DateTimeOffset, TimeSpan
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import passed, spend
from apim_emulator.csharp.runtime.values import (
    Anonymous,
    Array,
    Char,
    Dictionary,
    JTokenType,
    Lazy,
    List,
    Pair,
    UInt64,
    describe,
    type_of,
    unboxed,
)
from apim_emulator.csharp.types import RANGES, Type


class JToken:
    """`JToken`."""

    __slots__ = ("parent",)
    parent: "JToken | None"

    @property
    def kind(self) -> Enum:
        """`Type`."""
        raise NotImplementedError

    def count(self) -> int:
        """`Count`: how many child tokens there are."""
        return len(self.children())

    def children(self) -> "Sequence[JToken]":
        """List the child tokens: items, properties, or a property's value."""
        return ()

    def item(self, key: object) -> "JToken | None":
        """`this[key]`."""
        raise NotImplementedError

    def set_item(self, key: object, value: "JToken | None") -> None:
        """`this[key] = value`."""
        raise EvaluationError("InvalidOperationException")

    def clone(self) -> "JToken":
        """`DeepClone()`."""
        raise NotImplementedError

    def remove(self) -> None:
        """`Remove()`: take the token out of its parent."""
        if self.parent is None:
            raise EvaluationError("InvalidOperationException")
        self.parent.drop(self)

    def drop(self, child: "JToken") -> None:
        """Take a child out."""
        raise NotImplementedError

    def __iter__(self) -> "Iterator[JToken]":
        return iter(self.children())


class JValue(JToken):
    """`JValue`: a simple value and its kind."""

    __slots__ = ("_kind", "value")

    def __init__(self, value: Any, kind: Enum) -> None:
        """Take a value that is not boxed."""
        self.value = value
        self._kind = kind
        self.parent = None

    @property
    def kind(self) -> Enum:
        """`Type`."""
        return self._kind

    def __eq__(self, other: object) -> bool:
        """`Equals(object)`: of one kind and one value; floats may differ in the last digits."""
        if not isinstance(other, JValue) or self._kind is not other._kind:
            return False
        if self._kind is JTokenType.Float and self.value is not None and other.value is not None:
            return _about_equal(float(self.value), float(other.value))
        return bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def item(self, key: object) -> JToken | None:
        """Throw: a value has no children."""
        raise EvaluationError("InvalidOperationException")

    def clone(self) -> JToken:
        """`DeepClone()`."""
        return JValue(self.value, self._kind)


def _about_equal(one: float, other: float) -> bool:
    """`MathUtils.ApproxEquals` of Json.NET."""
    return one == other or abs(one - other) < (abs(one) + abs(other) + 10) * 2.220446049250313e-16


class JContainer(JToken):
    """`JContainer`: what an enumeration of it sees when it changes."""

    __slots__ = ("version",)
    version: int

    def _attached(self, token: JToken | None) -> JToken:
        """Make a token a child: null becomes JSON's null, and what has a parent is copied."""
        spend()
        child = null() if token is None else token
        if isinstance(child, JProperty) is not isinstance(self, JObject):
            raise EvaluationError("ArgumentException")
        if child.parent is not None or child is self or (_root(self) is child):
            child = child.clone()
        child.parent = self
        self.version += 1
        return child


class JProperty(JContainer):
    """`JProperty`."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: JToken | None) -> None:
        """Take the name and the value."""
        self.name = name
        self.parent = None
        self.version = 0
        self._value = self._attached(value)

    @property
    def value(self) -> JToken:
        """`Value`."""
        return self._value

    @value.setter
    def value(self, token: JToken | None) -> None:
        old, self._value = self._value, self._attached(token)
        old.parent = None

    @property
    def kind(self) -> Enum:
        """`Type`."""
        return JTokenType.Property

    def children(self) -> Sequence[JToken]:
        """Give the value."""
        return (self._value,)

    def item(self, key: object) -> JToken | None:
        """Throw: a property's children have no keys."""
        raise EvaluationError("InvalidOperationException")

    def clone(self) -> JToken:
        """`DeepClone()`."""
        return JProperty(self.name, self._value.clone())

    def drop(self, child: JToken) -> None:
        """Throw: a property always has a value."""
        raise EvaluationError("JsonException")


class JObject(JContainer):
    """`JObject`."""

    __slots__ = ("properties",)

    def __init__(self) -> None:
        """Start empty."""
        self.parent = None
        self.version = 0
        self.properties: dict[str, JProperty] = {}

    def count(self) -> int:
        """`Count`."""
        return len(self.properties)

    @property
    def kind(self) -> Enum:
        """`Type`."""
        return JTokenType.Object

    def children(self) -> Sequence[JToken]:
        """List the properties."""
        passed(8 * len(self.properties))
        return tuple(self.properties.values())

    def get(self, name: str | None) -> JToken | None:
        """Give the value of a property, None where it is absent."""
        if name is None:
            raise EvaluationError("ArgumentNullException")
        found = self.properties.get(name)
        return None if found is None else found.value

    def set(self, name: str | None, value: JToken | None) -> None:
        """Change a property or add it."""
        if name is None:
            raise EvaluationError("ArgumentNullException")
        found = self.properties.get(name)
        if found is None:
            self.add(JProperty(name, value))
        else:
            found.value = value

    def add(self, token: object) -> None:
        """`Add(JProperty)`; a second property of a name throws."""
        if not isinstance(token, JProperty):
            raise EvaluationError("ArgumentException")
        if token.name in self.properties:
            raise EvaluationError("ArgumentException")
        child = self._attached(token)
        if isinstance(child, JProperty):
            self.properties[child.name] = child

    def item(self, key: object) -> JToken | None:
        """`this[key]`; only a string is a key."""
        if not isinstance(key, str) or isinstance(key, Char):
            raise EvaluationError("ArgumentNullException" if key is None else "ArgumentException")
        return self.get(key)

    def set_item(self, key: object, value: JToken | None) -> None:
        """`this[key] = value`."""
        if not isinstance(key, str) or isinstance(key, Char):
            raise EvaluationError("ArgumentNullException" if key is None else "ArgumentException")
        self.set(key, value)

    def clone(self) -> JToken:
        """`DeepClone()`."""
        copy = JObject()
        for found in self.properties.values():
            copy.add(found.clone())
        return copy

    def drop(self, child: JToken) -> None:
        """Take a property out."""
        if isinstance(child, JProperty):
            del self.properties[child.name]
            child.parent = None
            self.version += 1

    def pairs(self) -> Iterator[Pair]:
        """Enumerate names and values."""
        version = self.version
        for found in tuple(self.properties.values()):
            yield Pair(found.name, found.value)
            if self.version != version:
                raise EvaluationError("InvalidOperationException")

    def __iter__(self) -> Iterator[JToken]:
        version = self.version
        for found in tuple(self.properties.values()):
            yield found
            if self.version != version:
                raise EvaluationError("InvalidOperationException")


class JArray(JContainer):
    """`JArray`."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        """Start empty."""
        self.parent = None
        self.version = 0
        self.items: list[JToken] = []

    @property
    def kind(self) -> Enum:
        """`Type`."""
        return JTokenType.Array

    def children(self) -> Sequence[JToken]:
        """List the items."""
        return self.items

    def add(self, token: JToken | None) -> None:
        """`Add(token)`."""
        self.items.append(self._attached(token))

    def insert(self, index: int, token: JToken | None) -> None:
        """`Insert(index, token)`."""
        if not 0 <= index <= len(self.items):
            raise EvaluationError("ArgumentOutOfRangeException")
        passed(len(self.items))
        self.items.insert(index, self._attached(token))

    def item(self, key: object) -> JToken | None:
        """`this[key]`; only an int is a key."""
        if type(key) is not int:
            raise EvaluationError("ArgumentNullException" if key is None else "ArgumentException")
        if not 0 <= key < len(self.items):
            raise EvaluationError("ArgumentOutOfRangeException")
        return self.items[key]

    def set_item(self, key: object, value: JToken | None) -> None:
        """`this[key] = value`."""
        self.item(key)
        if isinstance(key, int):
            old, self.items[key] = self.items[key], self._attached(value)
            old.parent = None

    def clone(self) -> JToken:
        """`DeepClone()`."""
        copy = JArray()
        for found in self.items:
            copy.add(found.clone())
        return copy

    def drop(self, child: JToken) -> None:
        """Take an item out."""
        passed(8 * len(self.items))
        self.remove_at(next(place for place, item in enumerate(self.items) if item is child))

    def remove_at(self, index: int) -> None:
        """`RemoveAt(index)`."""
        if not 0 <= index < len(self.items):
            raise EvaluationError("ArgumentOutOfRangeException")
        passed(len(self.items))
        self.items.pop(index).parent = None
        self.version += 1

    def clear(self) -> None:
        """`Clear()`."""
        for item in self.items:
            item.parent = None
        self.items.clear()
        self.version += 1

    def __iter__(self) -> Iterator[JToken]:
        version = self.version
        for found in self.items:
            yield found
            if self.version != version:
                raise EvaluationError("InvalidOperationException")


for _kind in (JToken, JValue, JContainer, JProperty, JObject, JArray):
    describe(_kind, Type(_kind.__name__))


def _root(token: JToken) -> JToken:
    depth = 0
    while token.parent is not None:
        token = token.parent
        depth += 1
    passed(8 * depth)
    return token


def null() -> JValue:
    """Make JSON's null."""
    return JValue(None, JTokenType.Null)


_KINDS: dict[type, Enum] = {
    str: JTokenType.String,
    bool: JTokenType.Boolean,
    float: JTokenType.Float,
    DateTime: JTokenType.Date,
    TimeSpan: JTokenType.TimeSpan,
    UUID: JTokenType.Guid,
}


def value_token(value: object) -> JValue:
    """Make `new JValue(value)` of what `object` may hold."""
    if value is None:
        return null()
    if isinstance(value, DateTimeOffset):
        raise unsure("a DateTimeOffset in JSON")
    if isinstance(value, UInt64) and value > RANGES["long"][1]:
        raise unsure("a JSON number beyond Int64")
    if isinstance(value, int) and not isinstance(value, bool):
        return JValue(unboxed(value), JTokenType.Integer)
    kind = JTokenType.String if isinstance(value, Char) else _KINDS.get(type(value))
    if kind is None:
        # Json.NET throws, but for URIs and bytes, which are not supported here.
        raise EvaluationError("ArgumentException") if isinstance(value, Anonymous | Pair) else unsure("this in JSON")
    return JValue(unboxed(value), kind)


def content_token(content: object) -> JToken:
    """Turn one piece of content of `new JArray(...)` or `new JProperty(...)` into a token."""
    if isinstance(content, Char):
        raise EvaluationError("ArgumentException")
    return content if isinstance(content, JToken) else value_token(content)


def pieces(content: object) -> Iterable[object] | None:
    """List what several-valued content holds, as `JContainer` sees it; None for a single value."""
    if isinstance(content, str | JToken | Dictionary) or not isinstance(content, Array | List | Lazy | list):
        return None
    if isinstance(content, Array) and content.element == Type.BYTE:
        return None
    element = (
        content.element if isinstance(content, Array) else content.type.args[0] if isinstance(content, List) else None
    )
    return map(Char, content) if element == Type.CHAR else content


def token_of(value: object) -> JToken:
    """`JToken.FromObject(value)`: what the serializer makes of a value."""
    if value is None or isinstance(value, JToken):
        return null() if value is None else value.clone()
    if isinstance(value, Anonymous):
        made_object = JObject()
        for name, item in zip(value.type.names, value, strict=True):
            made_object.set(name, token_of(item))
        return made_object
    if isinstance(value, Dictionary):
        if value.type.args[0] != Type.STRING:
            raise unsure("a dictionary whose keys are no strings in JSON")
        made_object = JObject()
        for key, item in value:
            made_object.set(key, token_of(item))
        return made_object
    if isinstance(value, Array) and value.element == Type.BYTE:
        raise unsure("bytes in JSON")
    if isinstance(value, Array | List | Lazy):
        made_array = JArray()
        for item in value:
            made_array.add(token_of(item))
        return made_array
    type_of(value)
    return value_token(value)
