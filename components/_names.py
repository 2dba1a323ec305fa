"""Names that must be unique in all of Azure, and names that must fit."""

import re
from hashlib import sha256

import pulumi
from pulumi_random import RandomString

_SUFFIX = 8


def unique_name(name: str, prefix: str, *, limit: int, parent: pulumi.Resource) -> pulumi.Output[str]:
    """`{prefix}-{name}-{8 random letters and digits}`, in lower case and at most `limit` characters.

    The random part is kept in the state: a name changes only when its resource is replaced.
    """
    stem = re.sub("[^a-z0-9]+", "-", f"{prefix}-{name}".lower())[: limit - _SUFFIX - 1].strip("-")
    suffix = RandomString(
        f"{name}-{prefix}-suffix",
        length=_SUFFIX,
        special=False,
        upper=False,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return pulumi.Output.concat(stem, "-", suffix.result)


def fitting(name: str, limit: int) -> str:
    """`name`, or where it is longer than `limit` its beginning and 8 hex digits that stand for the rest."""
    return name if len(name) <= limit else f"{name[: limit - 9]}-{sha256(name.encode()).hexdigest()[:8]}"
