"""The ways in which an expression fails: when it is loaded, and when it is evaluated."""

from typing import TypeVar

T = TypeVar("T")


class ExpressionError(ValueError):
    """An expression that is not loaded: not C#, or not surely evaluated as C# would."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        """Tell the reason and the place, both counted from 1 at the expression's `@`."""
        super().__init__(f"line {line}, column {column} of the expression: {reason}")
        self.reason = reason
        self.line = line
        self.column = column

    @property
    def unsupported(self) -> bool:
        """Whether C# may well have it and the compiler has not: the reason then speaks of what is supported."""
        return "supported" in self.reason


class EvaluationError(Exception):
    """An exception that the expression throws; carries the .NET type and never a value."""

    def __init__(self, exception: str, detail: str = "", message: str | None = None) -> None:
        """Name the .NET exception type, such as `KeyNotFoundException`; `message` only where the expression gave it."""
        super().__init__(f"{exception}: {detail}" if detail else exception)
        self.exception = exception
        self.message = message


class StoppedError(EvaluationError):
    """An evaluation that was given up: beyond a bound, or not surely what .NET does. No `catch` sees it."""


def unsure(detail: str) -> StoppedError:
    """Make the error that ends an evaluation whose further course is not surely that of .NET."""
    return StoppedError("NotSupportedException", detail)


def needed(value: T | None) -> T:
    """Return an argument that must not be null; raises `ArgumentNullException`."""
    if value is None:
        raise EvaluationError("ArgumentNullException")
    return value


BASES = {
    "AggregateException": "Exception",
    "ArgumentException": "SystemException",
    "ArgumentNullException": "ArgumentException",
    "ArgumentOutOfRangeException": "ArgumentException",
    "ArithmeticException": "SystemException",
    "CryptographicException": "SystemException",
    "DivideByZeroException": "ArithmeticException",
    "FormatException": "SystemException",
    "IndexOutOfRangeException": "SystemException",
    "InvalidCastException": "SystemException",
    "InvalidOperationException": "SystemException",
    "JsonException": "Exception",
    "JsonReaderException": "JsonException",
    "JsonSerializationException": "JsonException",
    "KeyNotFoundException": "SystemException",
    "NotImplementedException": "SystemException",
    "NotSupportedException": "SystemException",
    "NullReferenceException": "SystemException",
    "ObjectDisposedException": "InvalidOperationException",
    "OverflowException": "ArithmeticException",
    "RegexMatchTimeoutException": "TimeoutException",
    "SystemException": "Exception",
    "TimeoutException": "SystemException",
    "UriFormatException": "FormatException",
    "XmlException": "SystemException",
}
"""Exception types that an expression may see or name, each with its base."""


def is_exception(name: str, base: str) -> bool:
    """Tell whether an exception type is another or derives from it."""
    while name != base:
        if name not in BASES:
            return False
        name = BASES[name]
    return True
