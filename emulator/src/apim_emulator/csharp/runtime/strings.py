"""`System.String` where its behaviour is sure: ordinal, UTF-16, .NET's idea of white space."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache

from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.meter import MAX_LENGTH, bounded, joined, made, passed, spend
from apim_emulator.csharp.runtime.values import Array, StringComparison, StringSplitOptions, strings
from apim_emulator.csharp.types import Type

WHITE_SPACE = "".join(
    map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
)
"""`Char.IsWhiteSpace`."""
_ORDINAL = {StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase}
_IGNORING_CASE = {
    StringComparison.OrdinalIgnoreCase,
    StringComparison.InvariantCultureIgnoreCase,
    StringComparison.CurrentCultureIgnoreCase,
}


def ascii_only(*texts: str) -> None:
    """Give up where a case table or a culture outside ASCII matters."""
    passed(sum(map(len, texts)))
    if not all(text.isascii() and "\0" not in text for text in texts):
        raise unsure("a culture-sensitive string operation outside ASCII")


def printable_only(*texts: str) -> None:
    """Give up where a culture may ignore characters or take several as one."""
    passed(4 * sum(map(len, texts)))
    if not all(text.isascii() and text.isprintable() for text in texts):
        raise unsure("a culture-sensitive comparison outside printable ASCII")


def length(text: str) -> int:
    """`Length`: UTF-16 code units."""
    return len(text) if text.isascii() else _units_of(text)


@lru_cache(maxsize=8)  # a loop asks for the same text again and again
def _units_of(text: str) -> int:
    passed(len(text))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def at(text: str, index: int) -> str:
    """`this[index]`."""
    if not 0 <= index < length(text):
        raise EvaluationError("IndexOutOfRangeException")
    return characters(text)[index]


def characters(text: str) -> str:
    """Return a text whose characters are single UTF-16 units; halves of surrogate pairs are not supported."""
    if length(text) != len(text):
        raise unsure("half a surrogate pair")
    return text


def substring(text: str, start: int, count: int | None = None) -> str:
    """`Substring(start[, length])` in UTF-16 code units."""
    size = length(text)
    end = size if count is None else start + count
    if start < 0 or end < start or end > size:
        raise EvaluationError("ArgumentOutOfRangeException")
    if size == len(text):
        return bounded(text[start:end])
    passed(size)
    return _units(encoded(text, "utf-16-le")[start * 2 : end * 2])


def encoded(text: str, encoding: str = "utf-8") -> bytes:
    """Encode a text that is whole."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise unsure("half a surrogate pair") from None


def _units(data: bytes) -> str:
    try:
        return bounded(data.decode("utf-16-le"))
    except UnicodeDecodeError:
        raise unsure("half a surrogate pair") from None


def remove(text: str, start: int, count: int | None = None) -> str:
    """`Remove(start[, count])`."""
    size = length(text)
    end = size if count is None else start + count
    if start < 0 or end < start or end > size or (count is None and start >= size):
        raise EvaluationError("ArgumentOutOfRangeException")
    return substring(text, 0, start) + substring(text, end)


def insert(text: str, start: int, value: str | None) -> str:
    """`Insert(start, value)`."""
    if value is None:
        raise EvaluationError("ArgumentNullException")
    if not 0 <= start <= length(text):
        raise EvaluationError("ArgumentOutOfRangeException")
    return bounded(substring(text, 0, start) + value + substring(text, start))


def pad_left(text: str, width: int, character: str = " ") -> str:
    """`PadLeft(width[, character])`."""
    return bounded(character * _padding(text, width) + text)


def pad_right(text: str, width: int, character: str = " ") -> str:
    """`PadRight(width[, character])`."""
    return bounded(text + character * _padding(text, width))


def _padding(text: str, width: int) -> int:
    if width < 0:
        raise EvaluationError("ArgumentOutOfRangeException")
    if width > MAX_LENGTH:
        made(width)
    return max(0, width - length(text))


def repeated(character: str, count: int) -> str:
    """Make `new string(character, count)`."""
    if count < 0:
        raise EvaluationError("ArgumentOutOfRangeException")
    if count > MAX_LENGTH:
        made(count)
    return bounded(character * count) if character != "\0" or not count else bounded("\0" * count)


def lower(text: str) -> str:
    """`ToLower()`."""
    ascii_only(text)
    return bounded(text.lower())


def upper(text: str) -> str:
    """`ToUpper()`."""
    ascii_only(text)
    return bounded(text.upper())


def trim(text: str, given: Iterable[str] | None = None) -> str:
    """`Trim([characters])`; no characters is white space."""
    return bounded(text.strip(_set(text, given)))


def trim_start(text: str, given: Iterable[str] | None = None) -> str:
    """`TrimStart([characters])`."""
    return bounded(text.lstrip(_set(text, given)))


def trim_end(text: str, given: Iterable[str] | None = None) -> str:
    """`TrimEnd([characters])`."""
    return bounded(text.rstrip(_set(text, given)))


def _set(text: str, given: Iterable[str] | None) -> str:
    found = "".join(dict.fromkeys(given or ())) or WHITE_SPACE
    passed(len(text) * (1 + len(found) // 16))
    return found


def contains(text: str, part: str | None) -> bool:
    """`Contains(string)`: ordinal."""
    passed(len(text))
    return needed(part) in text


def replace(text: str, old: str | None, new: str | None) -> str:
    """`Replace(string, string)`: ordinal; an empty `old` throws."""
    if needed(old) == "":
        raise EvaluationError("ArgumentException")
    passed(2 * len(text))
    count = text.count(needed(old))
    if not count:
        return text
    made(max(0, len(text) + count * (len(new or "") - len(needed(old)))))
    return text.replace(needed(old), new or "")


def replace_character(text: str, old: str, new: str) -> str:
    """`Replace(char, char)`."""
    return bounded(text.replace(old, new))


_A_CHARACTER = 256
"""Characters that could be read while a set of characters takes in one more."""


def split(
    text: str,
    separators: Sequence[str] | None = None,
    count: int = 2**31 - 1,
    options: Enum = StringSplitOptions["None"],
) -> Array:
    """`Split`: by characters or strings, white space where there are none; at most `count` parts."""
    if count < 0:
        raise EvaluationError("ArgumentOutOfRangeException")
    dropping = options is StringSplitOptions["RemoveEmptyEntries"]
    if count == 0 or (dropping and not text):
        return strings(())
    found = list(dict.fromkeys(separator for separator in separators or () if separator))
    if count == 1 or (separators and not found):
        return strings((text,))
    are_characters = all(len(one) == 1 for one in found)
    passed(len(text) + _A_CHARACTER * len(found) if are_characters else len(text) * (1 + sum(map(len, found))))
    made(len(text))
    escaped = list(map(re.escape, found))
    alternatives = f"[{''.join(escaped) or WHITE_SPACE}]" if are_characters else "|".join(escaped)
    parts: list[str] = []
    place = 0
    for match in re.finditer(alternatives, text):
        spend()
        if len(parts) + 1 >= count:
            break
        if not dropping or match.start() > place:
            parts.append(text[place : match.start()])
        place = match.end()
    rest = text[place:]
    if dropping and len(parts) + 1 >= count:
        # The last part starts after the separators that follow the one before it.
        leading = re.match(f"(?:{alternatives})+", rest)
        rest = rest[leading.end() :] if leading else rest
    if not dropping or rest:
        parts.append(rest)
    return strings(parts)


def join(separator: str | None, parts: Iterable[str | None] | None) -> str:
    """`string.Join`: null counts as empty."""
    if parts is None:
        raise EvaluationError("ArgumentNullException")
    found = ["" if part is None else part for part in parts]
    spend(len(found))
    return joined(found, separator or "")


def concatenated(parts: Iterable[str | None] | None) -> str:
    """`string.Concat`."""
    return join("", parts)


def starts_with(text: str, part: str | None, comparison: Enum = StringComparison.CurrentCulture) -> bool:
    """`StartsWith`."""
    left, right = _comparable(text, needed(part), comparison)
    return left.startswith(right)


def ends_with(text: str, part: str | None, comparison: Enum = StringComparison.CurrentCulture) -> bool:
    """`EndsWith`."""
    left, right = _comparable(text, needed(part), comparison)
    return left.endswith(right)


def same(left: str | None, right: str | None) -> bool:
    """`==` of strings; those of one length are passed over."""
    if left is not None and right is not None and len(left) == len(right):
        passed(len(left))
    return left == right


def equals(left: str | None, right: str | None, comparison: Enum = StringComparison.Ordinal) -> bool:
    """`Equals` and `string.Equals`: ordinal unless told otherwise."""
    if left is None or right is None:
        return left is right
    one, other = _comparable(left, right, comparison)
    return same(one, other)


def index_of(text: str, part: str | None, comparison: Enum = StringComparison.CurrentCulture) -> int:
    """`IndexOf(string[, comparison])`."""
    left, right = _comparable(text, needed(part), comparison)
    passed(len(left))
    return _place(text, left.find(right))


def last_index_of(text: str, part: str | None, comparison: Enum = StringComparison.CurrentCulture) -> int:
    """`LastIndexOf(string[, comparison])`; versions of .NET disagree on the place of nothing."""
    left, right = _comparable(text, needed(part), comparison)
    if not right:
        raise unsure("LastIndexOf of an empty string")
    passed(2 * len(left))
    # Backwards: `rfind` takes time that grows with both lengths, `find` does not.
    place = left[::-1].find(right[::-1])
    return _place(text, place if place < 0 else len(left) - len(right) - place)


def index_of_character(text: str, character: str, start: int = 0) -> int:
    """`IndexOf(char[, start])`."""
    if not 0 <= start <= length(text):
        raise EvaluationError("ArgumentOutOfRangeException")
    passed(len(text) // 16)
    return characters(text).find(character, start) if start else _place(text, text.find(character))


def last_index_of_character(text: str, character: str) -> int:
    """`LastIndexOf(char)`."""
    passed(len(text) // 16)
    return _place(text, text.rfind(character))


def _place(text: str, place: int) -> int:
    return place if place <= 0 or length(text) == len(text) else length(text[:place])


def compare(left: str | None, right: str | None, comparison: Enum = StringComparison.CurrentCulture) -> int:
    """`string.Compare`: only the sign is sure; by culture, only whether it is 0."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    one, other = _comparable(left, right, comparison)
    passed(4 * (len(one) + len(other)))
    units, other_units = encoded(one, "utf-16-be"), encoded(other, "utf-16-be")
    return (units > other_units) - (units < other_units)


_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]*", re.ASCII)


def linguistic_key(text: str) -> tuple[str, str]:
    """Give what a culture orders texts by: letters, without their case; among equals, small letters come first.

    Raises `StoppedError`: beyond ASCII letters and digits, versions of .NET and cultures differ.
    """
    if _ALPHANUMERIC.fullmatch(text) is None:
        raise unsure(
            "the order by culture of texts with more than ASCII letters and digits; give StringComparer.Ordinal"
        )
    made(2 * len(text))
    return text.lower(), text.swapcase()


def is_null_or_empty(text: str | None) -> bool:
    """`string.IsNullOrEmpty`."""
    return not text


def is_null_or_white_space(text: str | None) -> bool:
    """`string.IsNullOrWhiteSpace`."""
    passed(len(text or ""))
    return not (text or "").strip(WHITE_SPACE)


def to_array(text: str) -> Array:
    """`ToCharArray()`."""
    return Array(Type.CHAR, characters(text))


def from_characters(given: Iterable[str] | None) -> str:
    """Make `new string(characters)`."""
    return bounded("".join(given or ()))


def each(text: str) -> Iterator[str]:
    """Enumerate characters."""
    return iter(characters(text))


def _comparable(left: str, right: str, comparison: Enum) -> tuple[str, str]:
    if comparison is StringComparison.Ordinal:
        return left, right
    if comparison in _ORDINAL:
        ascii_only(left, right)
    else:
        printable_only(left, right)
    return (left.upper(), right.upper()) if comparison in _IGNORING_CASE else (left, right)
