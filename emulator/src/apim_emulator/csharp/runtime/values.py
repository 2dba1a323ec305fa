"""Run-time values that Python has no type for: boxed numbers, enumerations, collections that know their element type.

`string`, `int`, `bool`, `double` and `Guid` are Python's `str`, `int`, `bool`, `float` and `UUID`. Other numbers are
plain while their static type says what they are; only `object` needs them boxed.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum, Flag
from typing import Any, NamedTuple
from uuid import UUID

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import MAX_LENGTH, compared, elements, passed, spend
from apim_emulator.csharp.types import Type, array


class SByte(int):
    """A boxed `sbyte`."""


class Byte(int):
    """A boxed `byte`."""


class Int16(int):
    """A boxed `short`."""


class UInt16(int):
    """A boxed `ushort`."""


class UInt32(int):
    """A boxed `uint`."""


class Int64(int):
    """A boxed `long`."""


class UInt64(int):
    """A boxed `ulong`."""


class Char(str):
    """A boxed `char`."""

    __slots__ = ()


BOXES: dict[str, Callable[[Any], object]] = {
    "sbyte": SByte,
    "byte": Byte,
    "short": Int16,
    "ushort": UInt16,
    "uint": UInt32,
    "long": Int64,
    "ulong": UInt64,
    "char": Char,
}
"""How a value whose Python type does not tell its C# type is boxed."""
UNBOXED: dict[type, Callable[[Any], object]] = {Char: str} | dict.fromkeys(
    (SByte, Byte, Int16, UInt16, UInt32, Int64, UInt64), int
)


# Made by call, since `None` is a keyword of Python.
StringComparison = Enum(
    "StringComparison",
    {
        "CurrentCulture": 0,
        "CurrentCultureIgnoreCase": 1,
        "InvariantCulture": 2,
        "InvariantCultureIgnoreCase": 3,
        "Ordinal": 4,
        "OrdinalIgnoreCase": 5,
    },
)
StringSplitOptions = Enum("StringSplitOptions", {"None": 0, "RemoveEmptyEntries": 1})
Formatting = Enum("Formatting", {"None": 0, "Indented": 1})
JTokenType = Enum(
    "JTokenType",
    {
        "None": 0,
        "Object": 1,
        "Array": 2,
        "Constructor": 3,
        "Property": 4,
        "Comment": 5,
        "Integer": 6,
        "Float": 7,
        "String": 8,
        "Boolean": 9,
        "Null": 10,
        "Undefined": 11,
        "Date": 12,
        "Raw": 13,
        "Bytes": 14,
        "Guid": 15,
        "Uri": 16,
        "TimeSpan": 17,
    },
)
DateTimeKind = Enum("DateTimeKind", {"Unspecified": 0, "Utc": 1, "Local": 2})
DayOfWeek = Enum(
    "DayOfWeek",
    {"Sunday": 0, "Monday": 1, "Tuesday": 2, "Wednesday": 3, "Thursday": 4, "Friday": 5, "Saturday": 6},
)
MidpointRounding = Enum("MidpointRounding", {"ToEven": 0, "AwayFromZero": 1})
RegexOptions = Flag(
    "RegexOptions",
    {
        "None": 0,
        "IgnoreCase": 1,
        "Multiline": 2,
        "ExplicitCapture": 4,
        "Compiled": 8,
        "Singleline": 16,
        "CultureInvariant": 512,
    },
)
LoadOptions = Flag("LoadOptions", {"None": 0, "PreserveWhitespace": 1, "SetBaseUri": 2, "SetLineInfo": 4})
SaveOptions = Flag("SaveOptions", {"None": 0, "DisableFormatting": 1, "OmitDuplicateNamespaces": 2})
XmlNodeType = Enum(
    "XmlNodeType",
    {
        "None": 0,
        "Element": 1,
        "Attribute": 2,
        "Text": 3,
        "CDATA": 4,
        "ProcessingInstruction": 7,
        "Comment": 8,
        "Document": 9,
    },
)

X509ContentType = Enum(
    "X509ContentType", {"Unknown": 0, "Cert": 1, "SerializedCert": 2, "Pfx": 3, "SerializedStore": 4, "Pkcs7": 5}
)
X509NameType = Enum(
    "X509NameType",
    {"SimpleName": 0, "EmailName": 1, "UpnName": 2, "DnsName": 3, "DnsFromAlternativeName": 4, "UrlName": 5},
)

ENUM_TYPES: tuple[type[Enum], ...] = (
    StringComparison,
    StringSplitOptions,
    Formatting,
    JTokenType,
    DateTimeKind,
    DayOfWeek,
    MidpointRounding,
    RegexOptions,
    X509ContentType,
    X509NameType,
    LoadOptions,
    SaveOptions,
    XmlNodeType,
)


class Pair(NamedTuple):
    """`KeyValuePair<K, V>`."""

    key: Any
    value: Any


class Array(list[Any]):
    """`T[]`, of a fixed length."""

    __slots__ = ("element",)

    def __init__(self, element: Type, items: Iterable[Any] = ()) -> None:
        """Take the items as they are."""
        super().__init__(items)
        self.element = element
        elements(len(self))

    @property
    def type(self) -> Type:
        """The array's own type."""
        return array(self.element)


def strings(items: Iterable[str]) -> Array:
    """Make a `string[]`."""
    return Array(Type.STRING, items)


class Collection:
    """What the collections that grow share: a version, which tells an enumeration that they changed."""

    __slots__ = ("items", "type", "version")
    items: Any

    def __init__(self, type_: Type, items: Any) -> None:
        """Take the items as they are."""
        self.type = type_
        self.items = items
        self.version = 0
        elements(len(items))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        version = self.version
        for item in self.items:
            yield item
            if self.version != version:
                raise self._changed_meanwhile()

    def _changed_meanwhile(self) -> EvaluationError:
        return EvaluationError("InvalidOperationException")

    def changed(self) -> None:
        """Count a change."""
        self.version += 1
        elements(1)
        if len(self.items) > MAX_LENGTH:
            elements(len(self.items))


class List(Collection):
    """`List<T>`; also `Queue<T>`, and `Stack<T>` with its top first."""

    __slots__ = ()
    items: list[Any]


class _Table(Collection):
    """What dictionaries and sets share: the order of entries is sure until one is added after a removal."""

    __slots__ = ("_removed", "_shuffled")
    items: dict[Any, Any]

    def __init__(self, type_: Type, items: dict[Any, Any]) -> None:
        """Take the items as they are."""
        super().__init__(type_, items)
        self._removed = self._shuffled = False

    def __iter__(self) -> Iterator[Any]:
        if self._shuffled:
            # .NET fills the places of removed entries first.
            raise unsure("the order of a dictionary or set after a removal")
        return super().__iter__()

    def _changed_meanwhile(self) -> EvaluationError:
        # .NET Framework throws; later .NET goes on after a removal.
        return unsure("a dictionary or set that changes while it is enumerated")

    def put(self, key: Any, value: Any = None) -> None:
        """Add an entry or change it."""
        if key is None:
            raise EvaluationError("ArgumentNullException")
        compared(key)
        if key not in self.items:
            self._shuffled = self._shuffled or self._removed
        self.items[key] = value
        self.changed()

    def remove(self, key: Any) -> bool:
        """Remove an entry, if it is there."""
        compared(key)
        if key not in self.items:
            return False
        del self.items[key]
        self._removed = True
        self.changed()
        return True

    def clear(self) -> None:
        """Remove every entry."""
        self.items.clear()
        self._removed = self._shuffled = False
        self.changed()


class HashSet(_Table):
    """`HashSet<T>`: its values by what its comparer makes of them."""

    __slots__ = ("_key",)

    def __init__(self, type_: Type, values: Iterable[Any], key: Callable[[Any], Any] | None = None) -> None:
        """Take the values of which the comparer makes something new; without `key`, they are compared as they are."""
        self._key = key
        found: dict[Any, Any] = {}
        for value in values:
            compared(value)
            found.setdefault(value if key is None else key(value), value)
        super().__init__(type_, found)

    def __contains__(self, value: object) -> bool:
        compared(value)
        return (value if self._key is None else self._key(value)) in self.items

    def add(self, value: Any) -> bool:
        """Add a value, if it is not there."""
        compared(value)
        key = value if self._key is None else self._key(value)
        if key in self.items:
            return False
        self._shuffled = self._shuffled or self._removed
        self.items[key] = value
        self.changed()
        return True

    def remove(self, key: Any) -> bool:
        """Remove a value, if it is there."""
        return super().remove(key if self._key is None else self._key(key))

    def __iter__(self) -> Iterator[Any]:
        return (self.items[key] for key in super().__iter__())


class Dictionary(_Table):
    """`Dictionary<K, V>`; enumerated as pairs."""

    __slots__ = ()

    def keys(self) -> Iterator[Any]:
        """Enumerate keys."""
        return super().__iter__()

    def values(self) -> Iterator[Any]:
        """Enumerate values."""
        return (self.items[key] for key in super().__iter__())

    def __iter__(self) -> Iterator[Any]:
        return (Pair(key, self.items[key]) for key in super().__iter__())


class Lazy:
    """A LINQ query: evaluated each time it is enumerated, as in .NET."""

    __slots__ = ("_start",)

    def __init__(self, start: Callable[[], Iterator[Any]]) -> None:
        """Take what starts an enumeration."""
        self._start = start

    def __iter__(self) -> Iterator[Any]:
        return self._start()


class DictionaryView(Lazy):
    """`Dictionary<K, V>.KeyCollection` and `ValueCollection`: what the dictionary holds whenever they are asked."""

    __slots__ = ("_table",)

    def __init__(self, table: Dictionary, start: Callable[[], Iterator[Any]]) -> None:
        """Take the dictionary and what enumerates a part of it."""
        super().__init__(start)
        self._table = table

    def __len__(self) -> int:
        return len(self._table)


class Ordered(Lazy):
    """An ordered query: what it sorts and by which keys, so that `ThenBy` can add one."""

    __slots__ = ("keys", "source")

    def __init__(self, source: Iterable[Any], keys: list[tuple[Callable[[Any], Any], bool]]) -> None:
        """Sort by the first key, then by the next; True is descending."""
        super().__init__(self._sorted)
        self.source = source
        self.keys = keys

    def _sorted(self) -> Iterator[Any]:
        items = list(self.source)
        decorated = [(item, [key(item) for key, _ in self.keys]) for item in items]
        for place in range(len(self.keys)):
            sorting([keys[place] for _, keys in decorated])
        for place in range(len(self.keys) - 1, -1, -1):
            _sort(decorated, place, self.keys[place][1])
        return iter([item for item, _ in decorated])


def sorting(keys: list[Any]) -> None:
    """Count a sort before C does it: each key is compared a few times, and a text is read each time."""
    passed(len(keys).bit_length() * sum(map(_size, keys)))


def _size(key: Any) -> int:
    if isinstance(key, tuple):
        return sum(map(_size, key))
    return 8 + (len(key) if isinstance(key, str | bytes) else 0)


def _sort(decorated: list[tuple[Any, list[Any]]], place: int, descending: bool) -> None:
    # null comes first; a stable descending sort must keep the order of equals.
    nulls = any(keys[place] is None for _, keys in decorated)

    def key(entry: tuple[Any, list[Any]]) -> Any:
        spend()
        found = entry[1][place]
        return (found is not None, 0 if found is None else found) if nulls else found

    decorated.sort(key=key, reverse=descending)


class Grouping(list[Any]):
    """`IGrouping<K, T>`."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        """Start empty."""
        super().__init__()
        self.key = key


class Anonymous(tuple[Any, ...]):
    """An instance of an anonymous type."""

    type: Type

    def __new__(cls, type_: Type, values: Iterable[Any]) -> "Anonymous":
        """Take the values in the order of the type's names."""
        made_ = super().__new__(cls, values)
        made_.type = type_
        return made_


_PLAIN: dict[type, Type] = {
    str: Type.STRING,
    int: Type.INT,
    bool: Type.BOOL,
    float: Type.DOUBLE,
    UUID: Type("Guid"),
    **{kind: Type(kind.__name__) for kind in ENUM_TYPES},
    **{box: Type(name) for name, box in BOXES.items() if isinstance(box, type)},
}


def describe(kind: type, type_: Type) -> None:
    """Register the C# type of a Python class."""
    _PLAIN[kind] = type_


def type_of(value: object) -> Type:
    """Tell the run-time type of a value other than null; raises `StoppedError` for what C# would know better."""
    found = _PLAIN.get(type(value))
    if found is None and isinstance(value, Array | Collection | Anonymous):
        found = value.type
    if found is None:
        raise unsure(f"the type of a {type(value).__name__}")
    return found


def boxed(type_: Type) -> Callable[[Any], Any] | None:
    """How a value of a static type becomes an `object`; None where it already is one."""
    inner = type_.args[0] if type_.is_nullable else type_
    box = BOXES.get(inner.name)
    if box is None or inner is type_:
        return box
    return lambda value: None if value is None else box(value)


def unboxed(value: object) -> Any:
    """Take a value out of its box."""
    plain = UNBOXED.get(type(value))
    return value if plain is None else plain(value)
