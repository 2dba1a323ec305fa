"""Options as they arrive: dataclasses from Python, plain mappings from another language."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def options(kind: type[T], value: T | Mapping[str, Any]) -> T:
    """Return `value` as a `kind`.

    The component host hands over nested options as mappings with floats for integers; pydantic makes them whole.

    Raises:
        ValueError: A value is missing, unknown or of the wrong type (pydantic's `ValidationError`).

    """
    return value if isinstance(value, kind) else TypeAdapter(kind).validate_python(value)
