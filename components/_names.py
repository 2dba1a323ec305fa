"""Names that must be unique in all of Azure, and names that must fit."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pulumi
from pulumi_random import RandomString

_SUFFIX = 8


def unique_name(
    name: str, prefix: str, *, limit: int, replaced_on: Mapping[str, pulumi.Input[Any]], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """`{prefix}-{name}-{8 random letters and digits}`, in lower case and at most `limit` characters.

    The random part is kept in the state, and made anew on a change of what the resource is `replaced_on`: azure-native
    deletes before it replaces, and Azure keeps a deleted resource's name for a while. It is a trigger and no keeper of
    the random string, since keepers that are new would rename what exists already.
    """
    stem = re.sub("[^a-z0-9]+", "-", f"{prefix}-{name}".lower())[: limit - _SUFFIX - 1].strip("-")
    suffix = RandomString(
        f"{name}-{prefix}-suffix",
        length=_SUFFIX,
        special=False,
        upper=False,
        opts=pulumi.ResourceOptions(
            parent=parent, replacement_trigger=pulumi.Output.all(**replaced_on).apply(_as_azure_compares)
        ),
    )
    return pulumi.Output.concat(stem, "-", suffix.result)


def _as_azure_compares(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with a region spelled in one way: `Sweden Central` is no other place than `swedencentral`."""
    location = values.get("location")
    return {**values, "location": location.replace(" ", "").lower()} if isinstance(location, str) else {**values}


def shown(title: pulumi.Input[str], before: str = "", after: str = "", *, limit: int) -> pulumi.Output[str]:
    """Text for people with a title in it, of at most `limit` characters."""
    return pulumi.Output.from_input(title).apply(lambda known: fitting(f"{before}{known}{after}", limit))


def fitting(name: str, limit: int) -> str:
    """`name`, or where it is longer than `limit` its beginning and 8 hex digits that stand for the rest."""
    return name if len(name) <= limit else f"{name[: limit - 9]}-{sha256(name.encode()).hexdigest()[:8]}"
