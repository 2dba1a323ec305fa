"""`System.String` where its behaviour is sure: ordinal, UTF-16, .NET's idea of white space."""

import re

from sandbox.expressions.errors import EvaluationError

MAX_LENGTH = 1_048_576
"""Longest string that an expression may make, in characters."""
WHITE_SPACE = "".join(
    map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
)
"""`Char.IsWhiteSpace`."""

_INT32 = re.compile(rf"[{WHITE_SPACE}]*([+-]?[0-9]{{1,64}})[{WHITE_SPACE}]*", re.ASCII)


def bounded(text: str) -> str:
    """Return the text, unless it is too long to go on with."""
    if len(text) > MAX_LENGTH:
        raise EvaluationError("InsufficientMemoryException", f"a string is longer than {MAX_LENGTH} characters")
    return text


def needed(text: str | None) -> str:
    """Return an argument that must not be null."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    return text


def ascii_only(*texts: str) -> None:
    """Refuse what depends on culture or on a case table outside ASCII."""
    if not all(text.isascii() and "\0" not in text for text in texts):
        raise EvaluationError("NotSupportedException", "culture-sensitive string operation outside ASCII")


def length(text: str) -> int:
    """`Length`: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def substring(text: str, start: int, count: int | None = None) -> str:
    """`Substring(start[, length])` in UTF-16 code units."""
    units = text.encode("utf-16-le")
    end = len(units) // 2 if count is None else start + count
    if start < 0 or end < start or end * 2 > len(units):
        raise EvaluationError("ArgumentOutOfRangeException")
    try:
        return units[start * 2 : end * 2].decode("utf-16-le")
    except UnicodeDecodeError:
        raise EvaluationError("NotSupportedException", "substring splits a surrogate pair") from None


def lower(text: str) -> str:
    """`ToLower()`."""
    ascii_only(text)
    return text.lower()


def upper(text: str) -> str:
    """`ToUpper()`."""
    ascii_only(text)
    return text.upper()


def trim(text: str) -> str:
    """`Trim()`."""
    return text.strip(WHITE_SPACE)


def contains(text: str, part: str | None) -> bool:
    """`Contains(string)`: ordinal."""
    return needed(part) in text


def replace(text: str, old: str | None, new: str | None) -> str:
    """`Replace(string, string)`: ordinal; an empty `old` throws."""
    if needed(old) == "":
        raise EvaluationError("ArgumentException")
    if len(new or "") > len(needed(old)) and len(text) + text.count(needed(old)) * len(new or "") > MAX_LENGTH:
        raise EvaluationError("InsufficientMemoryException")
    return text.replace(needed(old), new or "")


def split(text: str, separator: str) -> list[str]:
    """`Split(char)`."""
    return text.split(separator)


def starts_with(text: str, part: str | None, comparison: str = "culture") -> bool:
    """`StartsWith`."""
    left, right = _comparable(text, needed(part), comparison)
    return left.startswith(right)


def ends_with(text: str, part: str | None, comparison: str = "culture") -> bool:
    """`EndsWith`."""
    left, right = _comparable(text, needed(part), comparison)
    return left.endswith(right)


def equals(left: str | None, right: str | None, comparison: str = "Ordinal") -> bool:
    """`Equals` and `string.Equals`: ordinal unless told otherwise."""
    if left is None or right is None:
        return left is right
    one, other = _comparable(left, right, comparison)
    return one == other


def parse_int(text: str | None) -> int:
    """`int.Parse(string)`."""
    match = _INT32.fullmatch(needed(text))
    if match is None:
        raise EvaluationError("FormatException")
    value = int(match[1])
    if not -(2**31) <= value < 2**31:
        raise EvaluationError("OverflowException")
    return value


def is_null_or_empty(text: str | None) -> bool:
    """`string.IsNullOrEmpty`."""
    return not text


def is_null_or_white_space(text: str | None) -> bool:
    """`string.IsNullOrWhiteSpace`."""
    return not (text or "").strip(WHITE_SPACE)


def _comparable(left: str, right: str, comparison: str) -> tuple[str, str]:
    if comparison == "Ordinal":
        return left, right
    ascii_only(left, right)
    return (left.upper(), right.upper()) if comparison == "OrdinalIgnoreCase" else (left, right)
