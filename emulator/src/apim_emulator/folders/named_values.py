"""Files of names and values."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import yaml
from pydantic import ConfigDict, StrictBool, StrictStr, TypeAdapter, ValidationError

from apim_emulator.errors import EmulatorError
from apim_emulator.files import UniqueKeys, read_file, yaml_mistake

_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedValue:
    """An entry of a file of named values that says more than the value."""

    __pydantic_config__: ClassVar[ConfigDict] = {"extra": "forbid"}

    value: StrictStr = field(repr=False)
    secret: StrictBool = True


_NAMED_VALUES = TypeAdapter(dict[str, StrictStr | NamedValue])


def read_text(path: Path) -> str:
    """Read a file in UTF-8; raises `EmulatorError`."""
    try:
        return read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EmulatorError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None


def read_named_values(path: Path | None, *, any_name: bool = False) -> tuple[dict[str, str], frozenset[str]]:
    """Read a YAML or JSON file of names and values; all are secret but those that say otherwise."""
    if path is None:
        return {}, frozenset()
    text = read_text(path)
    try:
        found = _NAMED_VALUES.validate_python(yaml.load(text, UniqueKeys) or {})  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        raise EmulatorError(yaml_mistake(path, error)) from None
    except ValidationError as error:
        name = next((str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]), None)
        subject = "" if name is None or _NAME.fullmatch(name) is None else f"{name}: "
        form = "text in quotes, or {value: text in quotes, secret: false}"
        form = f"must be {form}" if subject else f"must be names with their values: {form}"
        raise EmulatorError(f"{path}: {subject}{form}") from None
    except (yaml.YAMLError, RecursionError, TypeError, ValueError):
        raise EmulatorError(f"{path}: not YAML or JSON") from None
    for name in found:
        if not any_name and _NAME.fullmatch(name) is None:
            raise EmulatorError(f"{path}: a name must be of letters, digits, dots, dashes and underscores")
    values = {name: one if isinstance(one, str) else one.value for name, one in found.items()}
    public = {name for name, one in found.items() if isinstance(one, NamedValue) and not one.secret}
    return values, frozenset(values) - public
