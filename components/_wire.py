"""Options as they arrive: dataclasses from Python, plain mappings from another language."""

from collections.abc import Mapping
from typing import Any, TypeVar

import pulumi
from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")


def options(kind: type[T], value: T | Mapping[str, Any]) -> T:
    """Return `value` as a `kind`.

    The component host hands over nested options as mappings with floats for integers; pydantic makes them whole. What
    is None was left out, and its default applies.

    Raises:
        pulumi.RunError: A value is missing, unknown or of the wrong type.

    """
    if isinstance(value, kind):
        return value
    # In a list, since pydantic takes the rule on unknown keys for what holds a dataclass, not for the dataclass.
    adapter = TypeAdapter(list[kind], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]
    try:
        return adapter.validate_python([_given(value)])[0]
    except ValidationError as error:
        # Without the values: one may be a secret.
        raise pulumi.RunError("; ".join(_sentence(detail) for detail in error.errors(include_input=False))) from None


def _given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _sentence(detail: Any) -> str:
    return f"{'.'.join(map(str, detail['loc'][1:]))}: {detail['msg']}"
