"""The cloud's verdict on changed inputs, as the engine wants to have it told."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from apim_emulator.azure.resource_types.diff import Difference

_STEP = re.compile(r'\.?([A-Za-z_$][\w$]*)|\["((?:[^"\\]|\\.)*)"\]')


def diff_response(difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> provider_pb2.DiffResponse:
    """Answer `Diff` with the kind of change of every property, from plain old and new inputs."""
    if not difference.changed:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=_tops(difference.changed),
        replaces=_tops(difference.replace),
        deleteBeforeReplace=difference.delete_before_replace,
        detailedDiff={
            path: provider_pb2.PropertyDiff(
                kind=_kind(_at(old, path), _at(new, path), path in difference.replace), inputDiff=True
            )
            for path in difference.changed
        },
        hasDetailedDiff=True,
    )


def top_property(path: str) -> str:
    """Property that a property path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _tops(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(top_property, paths)))


def _kind(old: Any, new: Any, replaces: bool) -> provider_pb2.PropertyDiff.Kind.ValueType:
    kinds = provider_pb2.PropertyDiff
    if old is None:
        return kinds.ADD_REPLACE if replaces else kinds.ADD
    if new is None:
        return kinds.DELETE_REPLACE if replaces else kinds.DELETE
    return kinds.UPDATE_REPLACE if replaces else kinds.UPDATE


def _at(value: Any, path: str) -> Any:
    """Value at a property path, None where there is nothing."""
    for name, quoted in _STEP.findall(path):
        value = value.get(name or re.sub(r"\\(.)", r"\1", quoted)) if isinstance(value, Mapping) else None
    return value
