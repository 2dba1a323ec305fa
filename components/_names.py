"""Names that must be unique in Azure, and texts with a maximum length."""

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
    """Return `{prefix}-{name}-{8 random letters and digits}` in lower case, at most `limit` characters long.

    The random suffix is kept in the state, and changes if one of the values in `replaced_on` does, which replaces the
    resource: azure-native deletes a resource before it replaces it, and Azure reserves the name of a deleted resource
    for a while. They are a replacement trigger, not keepers of the random string, since new keepers would rename
    existing resources.
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
    """Return the values with the region normalized: `Sweden Central` and `swedencentral` are the same."""
    location = values.get("location")
    return {**values, "location": location.replace(" ", "").lower()} if isinstance(location, str) else {**values}


def display_text(title: pulumi.Input[str], before: str = "", after: str = "", *, limit: int) -> pulumi.Output[str]:
    """Return text with a title in it, at most `limit` characters long."""
    return pulumi.Output.from_input(title).apply(lambda known: shorten(f"{before}{known}{after}", limit))


def shorten(name: str, limit: int) -> str:
    """Return `name`, or, if it is longer than `limit`, its beginning and 8 hex digits of its hash."""
    return name if len(name) <= limit else f"{name[: limit - 9]}-{sha256(name.encode()).hexdigest()[:8]}"
