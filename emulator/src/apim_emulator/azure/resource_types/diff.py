"""What an update would change, and whether it needs a new resource, as Pulumi's providers decide it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apim_emulator.azure.resource_types.resource_type import ResourceType


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How new inputs differ from old ones, by property path such as `sku.name` or `tags["cost.center"]`."""

    changed: tuple[str, ...] = ()
    """All properties that differ; lists count as one property."""
    replace: tuple[str, ...] = ()
    """Those of them that cannot change in place."""
    delete_before_replace: bool = False
    """Whether the old resource must go before the new one can come."""


def diff(kind: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Compare the inputs of a resource.

    Left out, null, an empty object and the SDK's default are the same; so is a name or a location that the provider
    chose for inputs that name none. azure-native compares inputs in this way, locations without regard to case and
    blanks, and deletes first, unless it made up the name (pulumi-azure-native, `Diff`; the provider knows that);
    azuread and random create first.
    """
    changed: list[str] = []
    replace = []
    for path, before, after in _changes(kind, old, new):
        changed.append(path)
        if any(
            rule(before, after)
            for immutable, rule in kind.immutable.items()
            if path == immutable or path.startswith((f"{immutable}.", f"{immutable}["))
        ):
            replace.append(path)
    first = bool(replace) and kind.token.startswith("azure-native:")
    return Difference(changed=tuple(changed), replace=tuple(replace), delete_before_replace=first)


def _changes(kind: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for path, *values in _leaves(old, new):
        before, after = (kind.defaults.get(path) if value is None else value for value in values)
        if path in kind.assigned and after is None:
            continue
        if path == "location" and _location(before) == _location(after):
            continue
        if before != after:
            yield path, before, after


def _leaves(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Both values of every property that either side has, with objects taken apart."""
    sides = [side for side in (old, new) if side is not None]
    if not all(isinstance(side, Mapping) for side in sides):
        yield path, old, new
        return
    for key in dict.fromkeys(key for side in sides for key in side):
        yield from _leaves((old or {}).get(key), (new or {}).get(key), _joined(path, key))


def _joined(path: str, key: str) -> str:
    if re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def _location(value: Any) -> Any:
    return value.replace(" ", "").lower() if isinstance(value, str) else value
