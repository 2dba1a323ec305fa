"""`string`, `char` and `StringBuilder`."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from apim_emulator.csharp.library.table import CHECKS, CONSTANTS, Generic, define
from apim_emulator.csharp.runtime import strings, text
from apim_emulator.csharp.runtime.composite import composite, composite_parts
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.json_text import NEW_LINE
from apim_emulator.csharp.runtime.meter import MAX_LENGTH, made, passed
from apim_emulator.csharp.runtime.values import ENUM_TYPES, StringComparison
from apim_emulator.csharp.types import Type


class StringBuilder:
    """`System.Text.StringBuilder`."""

    def __init__(self, value: str | None = None) -> None:
        """Start with a text."""
        self._parts = [value or ""]
        self._size = len(value or "")

    def __str__(self) -> str:
        if len(self._parts) > 1:
            passed(self._size)
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    def append(self, value: str) -> "StringBuilder":
        """Add a text at the end."""
        made(len(value))
        self._size += len(value)
        if self._size > MAX_LENGTH:
            made(self._size)
        self._parts.append(value)
        return self

    def replace_all(self, value: str) -> "StringBuilder":
        """Put another text in place of everything."""
        self._parts, self._size = [value], len(value)
        return self


def _appended(type_: Type) -> Callable[[StringBuilder, Any], StringBuilder]:
    to_text = text.in_concatenation(type_)
    if to_text is None:
        raise ValueError(type_)
    return lambda builder, value: builder.append(to_text(value))


def _insert(builder: StringBuilder, index: int, value: str | None) -> StringBuilder:
    return builder.replace_all(strings.insert(str(builder), index, value or ""))


_APPENDED = ("string", "char", "bool", "int", "long", "double", "object")

CHECKS["composite"] = composite_parts
define(
    "StringBuilder",
    properties_={"Length: int": lambda builder: strings.length(str(builder))},
    methods={
        **{f"Append({name}): StringBuilder": _appended(Type(name)) for name in _APPENDED},
        "AppendLine(): StringBuilder": lambda builder: builder.append(NEW_LINE),
        "AppendLine(string): StringBuilder": lambda builder, value: builder.append((value or "") + NEW_LINE),
        "AppendFormat(string composite, params object[]): StringBuilder": lambda builder, pattern, values: (
            builder.append(composite(pattern, values))
        ),
        "Clear(): StringBuilder": lambda builder: builder.replace_all(""),
        "Insert(int, string): StringBuilder": _insert,
        "Replace(string, string): StringBuilder": lambda builder, old, new: builder.replace_all(
            strings.replace(str(builder), old, new)
        ),
        "ToString(): string": str,
    },
    constructors={"new(): StringBuilder": StringBuilder, "new(string): StringBuilder": StringBuilder},
)


def _joined(separator: str | None, values: Iterable[Any] | None) -> str:
    if values is None:
        raise EvaluationError("ArgumentNullException")
    return strings.join(separator, [text.formatted(value, None) for value in values])


def _joined_objects(separator: str | None, values: list[Any] | None) -> str:
    if values and values[0] is None:
        raise unsure("string.Join of objects the first of which is null")
    return _joined(separator, values)


def _joining(type_: Type) -> Callable[..., str]:
    to_text = text.in_concatenation(type_)
    if to_text is None:
        raise unsure(f"string.Join of {type_}")

    def join(separator: str | None, values: Iterable[Any] | None) -> str:
        return strings.join(separator, None if values is None else [to_text(value) for value in values])

    return join


def _same(value: str) -> str:
    return value


def _compare(one: str | None, other: str | None, comparison: Enum) -> int:
    if comparison not in {StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase}:
        raise unsure("an order that depends on the culture")
    return strings.compare(one, other, comparison)


_SPLITS: dict[str, Callable[..., Any] | Generic] = {
    "Split(params char[] separator): string[]": strings.split,
    "Split(char[], int): string[]": strings.split,
    "Split(char[], StringSplitOptions): string[]": lambda value, by, options: strings.split(value, by, options=options),
    "Split(char[], int, StringSplitOptions): string[]": strings.split,
    "Split(string[], StringSplitOptions): string[]": lambda value, by, options: strings.split(
        value, by, options=options
    ),
    "Split(string[], int, StringSplitOptions): string[]": strings.split,
}

define(
    "string",
    properties_={"Length: int": strings.length},
    indexers={"this(int): char": strings.at},
    methods={
        "Contains(string): bool": strings.contains,
        "EndsWith(string): bool": strings.ends_with,
        "EndsWith(string, StringComparison): bool": strings.ends_with,
        "Equals(object): bool": lambda value, other: type(other) is str and strings.same(value, other),
        "Equals(string): bool": strings.equals,
        "Equals(string, StringComparison): bool": strings.equals,
        "IndexOf(char): int": strings.index_of_character,
        "IndexOf(char, int): int": strings.index_of_character,
        "IndexOf(string): int": strings.index_of,
        "IndexOf(string, StringComparison): int": strings.index_of,
        "Insert(int, string): string": strings.insert,
        "LastIndexOf(char): int": strings.last_index_of_character,
        "LastIndexOf(string): int": strings.last_index_of,
        "LastIndexOf(string, StringComparison): int": strings.last_index_of,
        "PadLeft(int): string": strings.pad_left,
        "PadLeft(int, char): string": strings.pad_left,
        "PadRight(int): string": strings.pad_right,
        "PadRight(int, char): string": strings.pad_right,
        "Remove(int): string": strings.remove,
        "Remove(int, int): string": strings.remove,
        "Replace(string, string): string": strings.replace,
        "Replace(char, char): string": strings.replace_character,
        **_SPLITS,
        "StartsWith(string): bool": strings.starts_with,
        "StartsWith(string, StringComparison): bool": strings.starts_with,
        "Substring(int): string": strings.substring,
        "Substring(int, int): string": strings.substring,
        "ToCharArray(): char[]": strings.to_array,
        "ToLower(): string": strings.lower,
        "ToLowerInvariant(): string": strings.lower,
        "ToString(): string": _same,
        "ToUpper(): string": strings.upper,
        "ToUpperInvariant(): string": strings.upper,
        "Trim(): string": strings.trim,
        "Trim(params char[]): string": strings.trim,
        "TrimEnd(params char[]): string": strings.trim_end,
        "TrimStart(params char[]): string": strings.trim_start,
    },
    statics={
        "Compare(string, string): CultureOrdering": strings.compare,
        "Compare(string, string, StringComparison): Ordering": _compare,
        "CompareOrdinal(string, string): Ordering": lambda one, other: _compare(one, other, StringComparison.Ordinal),
        "Concat(params string[]): string": strings.concatenated,
        "Concat(params object[]): string": lambda values: _joined("", values),
        "Concat(IEnumerable<string>): string": strings.concatenated,
        "Equals(string, string): bool": strings.equals,
        "Equals(string, string, StringComparison): bool": strings.equals,
        "Format(string composite, params object[]): string": composite,
        "IsNullOrEmpty(string): bool": strings.is_null_or_empty,
        "IsNullOrWhiteSpace(string): bool": strings.is_null_or_white_space,
        "Join(string, params string[]): string": strings.join,
        "Join(string, params object[]): string": _joined_objects,
        "Join(string, IEnumerable<string>): string": strings.join,
        "Join<T>(string, IEnumerable<T>): string": Generic(_joining),
    },
    constructors={"new(char, int): string": strings.repeated, "new(char[]): string": strings.from_characters},
)


def _ascii(test: Callable[[str], bool]) -> Callable[[str], bool]:
    def check(character: str) -> bool:
        if not character.isascii():
            raise unsure("a class of characters outside ASCII")
        return test(character)

    return check


define(
    "char",
    methods={"ToString(): string": _same, "Equals(char): bool": lambda one, other: one == other},
    statics={
        "IsDigit(char): bool": _ascii(str.isdigit),
        "IsLetter(char): bool": _ascii(str.isalpha),
        "IsLetterOrDigit(char): bool": _ascii(str.isalnum),
        "IsLower(char): bool": _ascii(str.islower),
        "IsUpper(char): bool": _ascii(str.isupper),
        "IsWhiteSpace(char): bool": lambda character: character in strings.WHITE_SPACE,
        "ToLower(char): char": strings.lower,
        "ToLowerInvariant(char): char": strings.lower,
        "ToString(char): string": _same,
        "ToUpper(char): char": strings.upper,
        "ToUpperInvariant(char): char": strings.upper,
    },
)
CONSTANTS["string.Empty"] = (Type.STRING, "")
CONSTANTS["Environment.NewLine"] = (Type.STRING, NEW_LINE)


def _enumeration(kind: type[Enum]) -> None:
    type_ = Type(kind.__name__)
    CONSTANTS.update({f"{kind.__name__}.{name}": (type_, value) for name, value in kind.__members__.items()})
    define(kind.__name__, methods={"ToString(): string": text.object_text})


for _kind in ENUM_TYPES:
    _enumeration(_kind)
