"""Arrays, lists, dictionaries, sets and pairs."""

from collections.abc import Callable, Iterable, Sized
from typing import Any

from apim_emulator.csharp.library.table import Generic, define
from apim_emulator.csharp.runtime import strings
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import bounded, compared, passed, spend
from apim_emulator.csharp.runtime.system_convert import zero
from apim_emulator.csharp.runtime.values import (
    Array,
    Dictionary,
    DictionaryView,
    HashSet,
    Lazy,
    List,
    Pair,
    StringComparison,
    sorting,
)
from apim_emulator.csharp.types import RANGES, Type


def listed(values: Iterable[Any] | None) -> list[Any]:
    """List a sequence that must not be null."""
    if values is None:
        raise EvaluationError("ArgumentNullException")
    found = []
    for value in values:
        spend()
        found.append(value)
    return found


def _at(error: str) -> Callable[[Any, int], Any]:
    def read(items: Any, index: int) -> Any:
        values = items.items if isinstance(items, List) else items
        if not 0 <= index < len(values):
            raise EvaluationError(error)
        return values[index]

    return read


def _put(array: Array, index: int, value: Any) -> None:
    if not 0 <= index < len(array):
        raise EvaluationError("IndexOutOfRangeException")
    array[index] = value


def _list_put(items: List, index: int, value: Any) -> None:
    if not 0 <= index < len(items):
        raise EvaluationError("ArgumentOutOfRangeException")
    items.items[index] = value
    items.changed()


def _copy(source: Array | None, start: int, target: Array | None, to: int, count: int) -> None:
    if source is None or target is None:
        raise EvaluationError("ArgumentNullException")
    if start < 0 or to < 0 or count < 0:
        raise EvaluationError("ArgumentOutOfRangeException")
    if start + count > len(source) or to + count > len(target):
        raise EvaluationError("ArgumentException")
    if source.element != target.element:
        raise unsure("a copy between arrays of different types")
    passed(count)
    target[to : to + count] = source[start : start + count]


def _array(values: Array | None) -> Array:
    if values is None:
        raise EvaluationError("ArgumentNullException")
    return values


def _look_through(values: Sized, value: Any) -> None:
    """Count a search, whose comparisons of texts may read them to the end."""
    passed(len(values) * (8 + (len(value) if isinstance(value, str) else 0)))


def _holds(values: Any, value: Any) -> bool:
    _look_through(values, value)
    return value in values


def _index(values: Any, value: Any) -> int:
    _look_through(values, value)
    return next((place for place, item in enumerate(values) if item == value), -1)


def _first(values: Iterable[Any], test: Callable[[Any], bool], default: Any) -> Any:
    return next((value for value in values if test(value)), default)


define(
    "[]",
    properties_={"Length: int": len},
    indexers={"this(int): T": _at("IndexOutOfRangeException")},
    index_setters={"this(int, T): T": _put},
)
define(
    "Array",
    statics={
        "Copy<T>(T[], T[], int): void": lambda source, target, count: _copy(source, 0, target, 0, count),
        "Copy<T>(T[], int, T[], int, int): void": _copy,
        "Exists<T>(T[], Predicate<T>): bool": lambda values, test: any(test(value) for value in _array(values)),
        "TrueForAll<T>(T[], Predicate<T>): bool": lambda values, test: all(test(value) for value in _array(values)),
        "Find<T>(T[], Predicate<T>): T": Generic(
            lambda type_: lambda values, test: _first(_array(values), test, zero(type_))
        ),
        "FindIndex<T>(T[], Predicate<T>): int": lambda values, test: next(
            (place for place, value in enumerate(_array(values)) if test(value)), -1
        ),
        "FindAll<T>(T[], Predicate<T>): T[]": lambda values, test: Array(
            _array(values).element, [value for value in values if test(value)]
        ),
        "IndexOf<T>(T[], T): int where T is equatable": lambda values, value: _index(_array(values), value),
    },
)


def _added(items: List, value: Any) -> None:
    items.items.append(value)
    items.changed()


def _extended(items: List, values: Iterable[Any] | None) -> None:
    items.items.extend(listed(values))
    items.changed()


def _inserted(items: List, index: int, value: Any) -> None:
    if not 0 <= index <= len(items):
        raise EvaluationError("ArgumentOutOfRangeException")
    passed(len(items))
    items.items.insert(index, value)
    items.changed()


def _removed(items: List, value: Any) -> bool:
    place = _index(items.items, value)
    if place < 0:
        return False
    _removed_at(items, place)
    return True


def _removed_at(items: List, index: int) -> None:
    if not 0 <= index < len(items):
        raise EvaluationError("ArgumentOutOfRangeException")
    passed(len(items))
    del items.items[index]
    items.changed()


def _removed_all(items: List, test: Callable[[Any], bool]) -> int:
    kept = [item for item in items.items if not test(item)]
    count = len(items) - len(kept)
    items.items = kept
    items.changed()
    return count


def _cleared(items: List) -> None:
    items.items.clear()
    items.changed()


def _reversed(items: List) -> None:
    passed(len(items))
    items.items.reverse()
    items.changed()


def _sorted(items: List) -> None:
    sorting(items.items)
    items.items.sort()
    items.changed()


def new_list(type_: Type, values: Iterable[Any] | None = ()) -> List:
    """Make `new List<T>([values])`."""
    return List(type_, listed(values))


_LIST_METHODS: dict[str, Callable[..., Any] | Generic] = {
    "Add(T): void": _added,
    "Clear(): void": _cleared,
    "Contains(T): bool where T is equatable": lambda items, value: _holds(items.items, value),
    "IndexOf(T): int where T is equatable": lambda items, value: _index(items.items, value),
    "Insert(int, T): void": _inserted,
    "Remove(T): bool where T is equatable": _removed,
    "RemoveAt(int): void": _removed_at,
}
_READ_LIST_METHODS: dict[str, Callable[..., Any] | Generic] = {
    "Contains(T): bool where T is equatable": _holds,
    "IndexOf(T): int where T is equatable": _index,
}

define(
    "List",
    properties_={"Count: int": len},
    indexers={"this(int): T": _at("ArgumentOutOfRangeException")},
    index_setters={"this(int, T): T": _list_put},
    methods={
        **_LIST_METHODS,
        "AddRange(IEnumerable<T>): void": _extended,
        "Exists(Predicate<T>): bool": lambda items, test: any(test(item) for item in items.items),
        "FindAll(Predicate<T>): List<T>": lambda items, test: List(
            items.type, [item for item in items.items if test(item)]
        ),
        "FindIndex(Predicate<T>): int": lambda items, test: next(
            (place for place, item in enumerate(items.items) if test(item)), -1
        ),
        "RemoveAll(Predicate<T>): int": _removed_all,
        "Reverse(): void": _reversed,
        "Sort(): void where T is comparable": _sorted,
        "ToArray(): T[]": lambda items: Array(items.type.args[0], items.items),
    },
    constructors={
        "new(): List<T>": new_list,
        "new(IEnumerable<T>): List<T>": new_list,
        "new(int): List<T>": lambda type_, capacity: new_list(type_) if capacity >= 0 else _negative(),
    },
)
define(
    "IList",
    properties_={"Count: int": len},
    indexers={"this(int): T": _at("ArgumentOutOfRangeException")},
    methods=_READ_LIST_METHODS,
)
define("ICollection", properties_={"Count: int": len})


def _negative() -> Any:
    raise EvaluationError("ArgumentOutOfRangeException")


# Dictionaries and sets


def _value(table: Dictionary, key: Any) -> Any:
    if key is None:
        raise EvaluationError("ArgumentNullException")
    compared(key)
    if key not in table.items:
        raise _missing(table, key)
    return table.items[key]


def _missing(table: Dictionary, key: Any) -> EvaluationError:
    """Make the error of an absent key; the names of a form may be compared without case."""
    passed(16 * len(table))
    if table.type.name == "IDictionary" and any(str(name).lower() == str(key).lower() for name in table.items):
        return unsure("the case of the names in a form")
    return EvaluationError("KeyNotFoundException")


def _has(table: Dictionary, key: Any) -> bool:
    if key is None:
        raise EvaluationError("ArgumentNullException")
    compared(key)
    if key not in table.items and isinstance(_missing(table, key), type(unsure(""))):
        raise _missing(table, key)
    return key in table.items


def _new_entry(table: Dictionary, key: Any, value: Any) -> None:
    if _has(table, key):
        raise EvaluationError("ArgumentException")
    table.put(key, value)


def _entry_removed(table: Dictionary, key: Any) -> bool:
    return _has(table, key) and table.remove(key)


def _tried(table: Dictionary, key: Any) -> tuple[bool, Any]:
    found = _has(table, key)
    return found, table.items[key] if found else zero(table.type.args[1])


def _new_dictionary(type_: Type, source: Dictionary | None = None) -> Dictionary:
    if type_.args[0].name not in {*RANGES, "string", "char", "bool", "Guid"}:
        raise unsure("a dictionary with keys of this type")
    passed(8 * len(source or ()))
    return Dictionary(type_, dict(source.items) if source is not None else {})


def _copied(type_: Type, source: Dictionary | None) -> Dictionary:
    if source is None:
        raise EvaluationError("ArgumentNullException")
    return _new_dictionary(type_, source)


for _name in ("Dictionary", "IDictionary"):
    define(
        _name,
        properties_={
            "Count: int": len,
            "Keys: ICollection<K>": lambda table: DictionaryView(table, table.keys),
            "Values: ICollection<V>": lambda table: DictionaryView(table, table.values),
        },
        indexers={"this(K): V": _value},
        index_setters={"this(K, V): V": Dictionary.put},
        methods={
            "Add(K, V): void": _new_entry,
            "Clear(): void": Dictionary.clear,
            "ContainsKey(K): bool": _has,
            "Remove(K): bool": _entry_removed,
            "TryGetValue(K, out V): bool": _tried,
        },
        constructors={
            "new(): Dictionary<K, V>": _new_dictionary,
            "new(IDictionary<K, V>): Dictionary<K, V>": _copied,
        }
        if _name == "Dictionary"
        else {},
    )


def new_set(type_: Type, values: Iterable[Any] | None = (), comparer: Any = None) -> HashSet:
    """Make `new HashSet<T>([values[, comparer]])`; a comparer that is null is the default one."""
    return HashSet(type_, listed(values), _without_case if comparer is StringComparison.OrdinalIgnoreCase else None)


def _without_case(text: str | None) -> str | None:
    if text is None:
        return None
    strings.ascii_only(text)
    return bounded(text.upper())


define(
    "HashSet",
    properties_={"Count: int": len},
    methods={
        "Add(T): bool where T is equatable": HashSet.add,
        "Clear(): void": HashSet.clear,
        "Contains(T): bool where T is equatable": HashSet.__contains__,
        "Remove(T): bool where T is equatable": HashSet.remove,
    },
    constructors={
        "new(): HashSet<T> where T is equatable": new_set,
        "new(IEnumerable<T>): HashSet<T> where T is equatable": new_set,
        "new(StringComparer): HashSet<T> where T is text": lambda type_, comparer: new_set(type_, (), comparer),
        "new(IEnumerable<T>, StringComparer): HashSet<T> where T is text": new_set,
    },
)
define(
    "KeyValuePair",
    properties_={"Key: K": lambda pair: pair.key, "Value: V": lambda pair: pair.value},
    constructors={"new(K, V): KeyValuePair<K, V>": lambda _type, key, value: Pair(key, value)},
)
define("IGrouping", properties_={"Key: K": lambda group: group.key})


def _present(value: Any) -> Any:
    if value is None:
        raise EvaluationError("InvalidOperationException")
    return value


define(
    "?",
    properties_={"HasValue: bool": lambda value: value is not None, "Value: T": _present},
    methods={
        "GetValueOrDefault(T): T": lambda value, default: default if value is None else value,
    },
)


def lazy(make: Callable[[], Any]) -> Lazy:
    """Make a query that counts what it enumerates."""

    def start() -> Any:
        for value in make():
            spend()
            yield value

    return Lazy(start)
