"""`System.Linq.Enumerable`: lazy where .NET is lazy, each query evaluated anew whenever it is enumerated."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from apim_emulator.csharp.library.collections import lazy, listed, new_list
from apim_emulator.csharp.library.table import CONSTANTS, Generic, define, define_extensions
from apim_emulator.csharp.runtime import numbers, strings
from apim_emulator.csharp.runtime.casts import is_instance
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.meter import compared, made
from apim_emulator.csharp.runtime.system_convert import zero
from apim_emulator.csharp.runtime.values import Array, Dictionary, Grouping, Lazy, Ordered, StringComparison
from apim_emulator.csharp.types import Type

Items = Iterable[Any] | None
Test = Callable[[Any], bool]


def _given(source: Items) -> Iterable[Any]:
    found = needed(source)
    return strings.characters(found) if isinstance(found, str) else found


def _query(make: Callable[..., Iterator[Any]]) -> Callable[..., Lazy]:
    """Make a lazy query of a generator function over a source."""

    def query(source: Items, *arguments: Any) -> Lazy:
        values = _given(source)
        return lazy(lambda: make(values, *arguments))

    return query


def _none() -> EvaluationError:
    return EvaluationError("InvalidOperationException")


def _all(_value: Any) -> bool:
    return True


def _first(source: Items, test: Test = _all) -> Any:
    for value in _counted(source):
        if test(value):
            return value
    raise _none()


def _last(source: Items, test: Test = _all) -> Any:
    found = [value for value in _counted(source) if test(value)]
    if not found:
        raise _none()
    return found[-1]


def _single(source: Items, test: Test = _all) -> Any:
    found = [value for value in _counted(source) if test(value)]
    if len(found) != 1:
        raise _none()
    return found[0]


def _counted(source: Items) -> Iterator[Any]:
    values = _given(source)
    return iter(lazy(lambda: iter(values)))


def _or_default(find: Callable[..., Any], *, several_throw: bool = False) -> Generic:
    def make(type_: Type) -> Callable[..., Any]:
        def call(source: Items, test: Test = _all) -> Any:
            found = [value for value in _counted(source) if test(value)]
            if not found:
                return zero(type_)
            if several_throw and len(found) > 1:
                raise _none()
            return find(found)

        return call

    return Generic(make)


def _first_or_default(type_: Type) -> Callable[..., Any]:
    def call(source: Items, test: Test = _all) -> Any:
        for value in _counted(source):
            if test(value):
                return value
        return zero(type_)

    return call


def _element_at_or_default(type_: Type) -> Callable[..., Any]:
    def call(source: Items, index: int) -> Any:
        found = list(islice(_counted(source), max(index, 0) + 1))
        return found[index] if 0 <= index < len(found) else zero(type_)

    return call


def _element_at(source: Items, index: int) -> Any:
    found = list(islice(_counted(source), max(index, 0) + 1))
    if index < 0 or len(found) <= index:
        raise EvaluationError("ArgumentOutOfRangeException")
    return found[index]


def _select(values: Iterable[Any], change: Callable[[Any], Any]) -> Iterator[Any]:
    return (change(value) for value in values)


def _select_places(values: Iterable[Any], change: Callable[[Any, int], Any]) -> Iterator[Any]:
    return (change(value, place) for place, value in enumerate(values))


def _where(values: Iterable[Any], test: Test) -> Iterator[Any]:
    return (value for value in values if test(value))


def _where_places(values: Iterable[Any], test: Callable[[Any, int], bool]) -> Iterator[Any]:
    return (value for place, value in enumerate(values) if test(value, place))


def _select_many(values: Iterable[Any], change: Callable[[Any], Items]) -> Iterator[Any]:
    for value in values:
        inner = change(value)
        if inner is None:
            raise EvaluationError("NullReferenceException")
        yield from strings.characters(inner) if isinstance(inner, str) else inner


def _skip(values: Iterable[Any], count: int) -> Iterator[Any]:
    return islice(iter(values), max(count, 0), None)


def _take(values: Iterable[Any], count: int) -> Iterator[Any]:
    return islice(iter(values), max(count, 0))


def _skip_while(values: Iterable[Any], test: Test) -> Iterator[Any]:
    skipping = True
    for value in values:
        skipping = skipping and test(value)
        if not skipping:
            yield value


def _take_while(values: Iterable[Any], test: Test) -> Iterator[Any]:
    for value in values:
        if not test(value):
            return
        yield value


def _distinct(values: Iterable[Any], seen: set[Any] | None = None) -> Iterator[Any]:
    known = set() if seen is None else seen
    for value in values:
        compared(value)
        if value not in known:
            known.add(value)
            yield value


def _reverse(values: Iterable[Any]) -> Iterator[Any]:
    yield from reversed(listed(values))


def _grouped(values: Iterable[Any], key: Callable[[Any], Any], element: Callable[[Any], Any] = lambda x: x) -> Any:
    groups: dict[Any, Grouping] = {}
    for value in values:
        found = key(value)
        compared(found)
        groups.setdefault(found, Grouping(found)).append(element(value))
    return iter(groups.values())


def _zip(values: Iterable[Any], others: Iterable[Any], change: Callable[[Any, Any], Any]) -> Iterator[Any]:
    return (change(one, other) for one, other in zip(values, others, strict=False))


def _append(values: Iterable[Any], value: Any) -> Iterator[Any]:
    return chain(values, (value,))


def _prepend(values: Iterable[Any], value: Any) -> Iterator[Any]:
    return chain((value,), values)


def _default_if_empty(values: Iterable[Any], default: Any) -> Iterator[Any]:
    empty = True
    for value in values:
        empty = False
        yield value
    if empty:
        yield default


def _two(make: Callable[[Iterable[Any], Iterable[Any]], Iterator[Any]]) -> Callable[[Items, Items], Lazy]:
    def query(one: Items, other: Items) -> Lazy:
        first, second = _given(one), _given(other)
        return lazy(lambda: make(first, second))

    return query


def _except(one: Iterable[Any], other: Iterable[Any]) -> Iterator[Any]:
    yield from _distinct(one, set(other))


def _intersect(one: Iterable[Any], other: Iterable[Any]) -> Iterator[Any]:
    kept = set(other)
    for value in one:
        compared(value)
        if value in kept:
            kept.remove(value)
            yield value


def _zipped(one: Items, other: Items, change: Callable[[Any, Any], Any]) -> Lazy:
    first, second = _given(one), _given(other)
    return lazy(lambda: _zip(first, second, change))


def _aggregate(source: Items, step: Callable[[Any, Any], Any]) -> Any:
    values = _counted(source)
    try:
        total = next(values)
    except StopIteration:
        raise _none() from None
    for value in values:
        total = step(total, value)
    return total


def _aggregate_from(source: Items, seed: Any, step: Callable[[Any, Any], Any]) -> Any:
    total = seed
    for value in _counted(source):
        total = step(total, value)
    return total


def _sum(name: str) -> Callable[..., Any]:
    def total(source: Items, change: Callable[[Any], Any] = lambda value: value) -> Any:
        found = 0.0 if name == "double" else 0
        for value in _counted(source):
            found += change(value)
            if name != "double":
                numbers.checked(int(found), name)
        return found

    return total


def _average(source: Items, change: Callable[[Any], Any] = lambda value: value) -> float:
    found = [change(value) for value in _counted(source)]
    if not found:
        raise _none()
    if isinstance(found[0], float):
        total = 0.0
        for value in found:
            total += value
        return total / len(found)
    whole = 0
    for value in found:
        whole = numbers.checked(whole + value, "long")
    return float(whole) / len(found)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def find(source: Items, change: Callable[[Any], Any] = lambda value: value) -> Any:
        found = [change(value) for value in _counted(source)]
        if not found:
            raise _none()
        if any(isinstance(value, float) and math.isnan(value) for value in found):
            raise unsure("the extreme of numbers with NaN")
        return choose(found)

    return find


def _to_dictionary(key_type: Type, value_type: Type, source: Items, key: Any, value: Any) -> Dictionary:
    table = Dictionary(Type("Dictionary", (key_type, value_type)), {})
    for item in _counted(source):
        found, entry = key(item), value(item)
        if found is not None and found in table.items:
            raise EvaluationError("ArgumentException")
        table.put(found, entry)
    return table


def _dictionary(item: Type, key: Type) -> Callable[..., Dictionary]:
    return lambda source, select: _to_dictionary(key, item, source, select, lambda value: value)


def _dictionary_of(_item: Type, key: Type, value: Type) -> Callable[..., Dictionary]:
    return lambda source, select, change: _to_dictionary(key, value, source, select, change)


def _ordered(*, descending: bool) -> Callable[..., Ordered]:
    def order(source: Items, key: Callable[[Any], Any], comparer: Any = None) -> Ordered:
        values = _given(source)
        by = key if comparer is None else _ordinal_key(key, comparer)
        return Ordered(lazy(lambda: iter(values)), [(by, descending)])

    return order


def _ordered_texts(*, descending: bool) -> Callable[..., Ordered]:
    order = _ordered(descending=descending)
    return lambda source, key: order(source, _linguistic(key))


def _then(*, descending: bool) -> Callable[..., Ordered]:
    def order(source: Ordered | None, key: Callable[[Any], Any], comparer: Any = None) -> Ordered:
        if source is None:
            raise EvaluationError("ArgumentNullException")
        by = key if comparer is None else _ordinal_key(key, comparer)
        return Ordered(source.source, [*source.keys, (by, descending)])

    return order


def _then_texts(*, descending: bool) -> Callable[..., Ordered]:
    order = _then(descending=descending)
    return lambda source, key: order(source, _linguistic(key))


def _linguistic(key: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def weights(value: Any) -> Any:
        found = key(value)
        return None if found is None else strings.linguistic_key(found)

    return weights


def _ordinal_key(key: Callable[[Any], Any], comparer: StringComparison) -> Callable[[Any], Any]:
    def units(value: Any) -> Any:
        found = key(value)
        if found is None:
            return None
        if comparer is StringComparison.OrdinalIgnoreCase:
            strings.ascii_only(found)
            found = found.upper()
        made(2 * len(found))
        return strings.encoded(found, "utf-16-be")

    return units


def _cast(type_: Type) -> Callable[[Items], Lazy]:
    def change(value: Any) -> Any:
        if value is not None and not is_instance(value, type_):
            raise EvaluationError("InvalidCastException")
        return value

    query = _query(lambda values: (change(value) for value in values))
    if type_ != Type("JToken"):
        return query

    def unchanged(source: Items) -> Any:
        """Give what is a sequence of tokens already itself."""
        return _given(source)

    return unchanged


def _of_type(type_: Type) -> Callable[[Items], Lazy]:
    return _query(lambda values: (value for value in values if value is not None and is_instance(value, type_)))


def _contains_text(source: Items, wanted: str | None, comparer: StringComparison) -> bool:
    return any(strings.equals(value, wanted, comparer) for value in _counted(source))


def _same(one: Items, other: Items) -> bool:
    found, others = list(_counted(one)), list(_counted(other))
    for value in found:
        compared(value)
    return found == others


def _count(source: Items, test: Test = _all) -> int:
    return sum(1 for value in _counted(source) if test(value))


_SOURCE = "this IEnumerable<T>"
_NUMBERS = ("int", "long", "double")

define_extensions(
    {
        f"Aggregate<T>({_SOURCE}, Func<T, T, T>): T": _aggregate,
        f"Aggregate<T, A>({_SOURCE}, A, Func<A, T, A>): A": _aggregate_from,
        f"All<T>({_SOURCE}, Func<T, bool>): bool": lambda source, test: all(test(value) for value in _counted(source)),
        f"Any<T>({_SOURCE}): bool": lambda source: any(True for _ in _counted(source)),
        f"Any<T>({_SOURCE}, Func<T, bool>): bool": lambda source, test: any(test(value) for value in _counted(source)),
        f"Append<T>({_SOURCE}, T): IEnumerable<T>": _query(_append),
        "Cast<R>(this IEnumerable<JToken>): IEnumerable<R>": Generic(_cast),
        f"Concat<T>({_SOURCE}, IEnumerable<T>): IEnumerable<T>": _two(chain),
        f"Contains<T>({_SOURCE}, T): bool where T is equatable": lambda source, wanted: any(
            value == wanted for value in _counted(source)
        ),
        "Contains(this IEnumerable<string>, string, StringComparer): bool": _contains_text,
        f"Count<T>({_SOURCE}): int": _count,
        f"Count<T>({_SOURCE}, Func<T, bool>): int": _count,
        f"DefaultIfEmpty<T>({_SOURCE}, T): IEnumerable<T>": _query(_default_if_empty),
        f"Distinct<T>({_SOURCE}): IEnumerable<T> where T is equatable": _query(_distinct),
        f"ElementAt<T>({_SOURCE}, int): T": _element_at,
        f"ElementAtOrDefault<T>({_SOURCE}, int): T": Generic(_element_at_or_default),
        f"Except<T>({_SOURCE}, IEnumerable<T>): IEnumerable<T> where T is equatable": _two(_except),
        f"First<T>({_SOURCE}): T": _first,
        f"First<T>({_SOURCE}, Func<T, bool>): T": _first,
        f"FirstOrDefault<T>({_SOURCE}): T": Generic(_first_or_default),
        f"FirstOrDefault<T>({_SOURCE}, Func<T, bool>): T": Generic(_first_or_default),
        f"GroupBy<T, K>({_SOURCE}, Func<T, K>): IEnumerable<IGrouping<K, T>> where K is equatable": _query(_grouped),
        f"GroupBy<T, K, E>({_SOURCE}, Func<T, K>, Func<T, E>): IEnumerable<IGrouping<K, E>> where K is equatable": (
            _query(_grouped)
        ),
        f"Intersect<T>({_SOURCE}, IEnumerable<T>): IEnumerable<T> where T is equatable": _two(_intersect),
        f"Last<T>({_SOURCE}): T": _last,
        f"Last<T>({_SOURCE}, Func<T, bool>): T": _last,
        f"LastOrDefault<T>({_SOURCE}): T": _or_default(lambda found: found[-1]),
        f"LastOrDefault<T>({_SOURCE}, Func<T, bool>): T": _or_default(lambda found: found[-1]),
        "OfType<R>(this IEnumerable<JToken>): IEnumerable<R>": Generic(_of_type),
        f"OrderBy<T, K>({_SOURCE}, Func<T, K>): IOrderedEnumerable<T> where K is comparable": _ordered(
            descending=False
        ),
        f"OrderBy<T>({_SOURCE}, Func<T, string>): IOrderedEnumerable<T>": _ordered_texts(descending=False),
        f"OrderByDescending<T>({_SOURCE}, Func<T, string>): IOrderedEnumerable<T>": _ordered_texts(descending=True),
        "ThenBy<T>(this IOrderedEnumerable<T>, Func<T, string>): IOrderedEnumerable<T>": _then_texts(descending=False),
        "ThenByDescending<T>(this IOrderedEnumerable<T>, Func<T, string>): IOrderedEnumerable<T>": _then_texts(
            descending=True
        ),
        f"OrderBy<T>({_SOURCE}, Func<T, string>, StringComparer): IOrderedEnumerable<T>": _ordered(descending=False),
        f"OrderByDescending<T, K>({_SOURCE}, Func<T, K>): IOrderedEnumerable<T> where K is comparable": _ordered(
            descending=True
        ),
        f"OrderByDescending<T>({_SOURCE}, Func<T, string>, StringComparer): IOrderedEnumerable<T>": _ordered(
            descending=True
        ),
        "ThenBy<T, K>(this IOrderedEnumerable<T>, Func<T, K>): IOrderedEnumerable<T> where K is comparable": _then(
            descending=False
        ),
        "ThenByDescending<T, K>(this IOrderedEnumerable<T>, Func<T, K>): IOrderedEnumerable<T> where K is comparable": (
            _then(descending=True)
        ),
        f"Prepend<T>({_SOURCE}, T): IEnumerable<T>": _query(_prepend),
        f"Reverse<T>({_SOURCE}): IEnumerable<T>": _query(_reverse),
        f"Select<T, R>({_SOURCE}, Func<T, R>): IEnumerable<R>": _query(_select),
        f"Select<T, R>({_SOURCE}, Func<T, int, R>): IEnumerable<R>": _query(_select_places),
        f"SelectMany<T, R>({_SOURCE}, Func<T, IEnumerable<R>>): IEnumerable<R>": _query(_select_many),
        f"SequenceEqual<T>({_SOURCE}, IEnumerable<T>): bool where T is equatable": _same,
        f"Single<T>({_SOURCE}): T": _single,
        f"Single<T>({_SOURCE}, Func<T, bool>): T": _single,
        f"SingleOrDefault<T>({_SOURCE}): T": _or_default(lambda found: found[0], several_throw=True),
        f"SingleOrDefault<T>({_SOURCE}, Func<T, bool>): T": _or_default(lambda found: found[0], several_throw=True),
        f"Skip<T>({_SOURCE}, int): IEnumerable<T>": _query(_skip),
        f"SkipWhile<T>({_SOURCE}, Func<T, bool>): IEnumerable<T>": _query(_skip_while),
        f"Take<T>({_SOURCE}, int): IEnumerable<T>": _query(_take),
        f"TakeWhile<T>({_SOURCE}, Func<T, bool>): IEnumerable<T>": _query(_take_while),
        f"ToArray<T>({_SOURCE}): T[]": Generic(lambda type_: lambda source: Array(type_, listed(_given(source)))),
        f"ToDictionary<T, K>({_SOURCE}, Func<T, K>): Dictionary<K, T> where K is equatable": Generic(_dictionary),
        f"ToDictionary<T, K, V>({_SOURCE}, Func<T, K>, Func<T, V>): Dictionary<K, V> where K is equatable": Generic(
            _dictionary_of
        ),
        f"ToList<T>({_SOURCE}): List<T>": Generic(
            lambda type_: lambda source: new_list(Type("List", (type_,)), _given(source))
        ),
        f"Union<T>({_SOURCE}, IEnumerable<T>): IEnumerable<T> where T is equatable": _two(
            lambda one, other: _distinct(chain(one, other))
        ),
        f"Where<T>({_SOURCE}, Func<T, bool>): IEnumerable<T>": _query(_where),
        f"Where<T>({_SOURCE}, Func<T, int, bool>): IEnumerable<T>": _query(_where_places),
        f"Zip<T, U, R>({_SOURCE}, IEnumerable<U>, Func<T, U, R>): IEnumerable<R>": _zipped,
        **{f"Sum(this IEnumerable<{name}>): {name}": _sum(name) for name in _NUMBERS},
        **{f"Sum<T>({_SOURCE}, Func<T, {name}>): {name}": _sum(name) for name in _NUMBERS},
        **{f"Average(this IEnumerable<{name}>): double": _average for name in _NUMBERS},
        **{f"Average<T>({_SOURCE}, Func<T, {name}>): double": _average for name in _NUMBERS},
        **{f"Max(this IEnumerable<{name}>): {name}": _extreme(max) for name in _NUMBERS},
        **{f"Max<T>({_SOURCE}, Func<T, {name}>): {name}": _extreme(max) for name in _NUMBERS},
        **{f"Min(this IEnumerable<{name}>): {name}": _extreme(min) for name in _NUMBERS},
        **{f"Min<T>({_SOURCE}, Func<T, {name}>): {name}": _extreme(min) for name in _NUMBERS},
    }
)


def _range(start: int, count: int) -> Lazy:
    if count < 0 or start + count - 1 > 2**31 - 1:
        raise EvaluationError("ArgumentOutOfRangeException")
    return lazy(lambda: iter(range(start, start + count)))


def _repeat(value: Any, count: int) -> Lazy:
    if count < 0:
        raise EvaluationError("ArgumentOutOfRangeException")
    return lazy(lambda: (value for _ in range(count)))


define(
    "Enumerable",
    statics={
        "Empty<T>(): IEnumerable<T>": Generic(lambda type_: lambda: Array(type_)),
        "Range(int, int): IEnumerable<int>": _range,
        "Repeat<T>(T, int): IEnumerable<T>": _repeat,
    },
)
_COMPARER = Type("StringComparer")
CONSTANTS["StringComparer.Ordinal"] = (_COMPARER, StringComparison.Ordinal)
CONSTANTS["StringComparer.OrdinalIgnoreCase"] = (_COMPARER, StringComparison.OrdinalIgnoreCase)
define("StringComparer")
