"""Exceptions: what an expression may throw, and what it may read of one."""

from collections.abc import Callable

from apim_emulator.csharp.library.table import define
from apim_emulator.csharp.runtime.exceptions import BASES, EvaluationError, StoppedError


def _constructor(name: str) -> Callable[..., EvaluationError]:
    """Make the constructor of an exception type."""

    def create(message: str | None = None, *_inner: object) -> EvaluationError:
        return EvaluationError(name, message=message)

    return create


def _message(error: EvaluationError) -> str:
    """`Message`: sure only where the expression gave it."""
    if error.message is None:
        raise StoppedError("NotSupportedException", "the message of an exception that .NET threw")
    return error.message


_WITHOUT_CONSTRUCTOR = {
    "AggregateException",
    "ArgumentNullException",
    "ArgumentOutOfRangeException",
    "ObjectDisposedException",
    "UriFormatException",
}
for _name in ("Exception", *BASES):
    _constructors = {
        f"new(): {_name}": _constructor(_name),
        f"new(string): {_name}": _constructor(_name),
    }
    # The argument of these is a parameter's name.
    if _name in _WITHOUT_CONSTRUCTOR:
        _constructors = {}
    define(_name, properties_={"Message: string": _message}, constructors=_constructors)
