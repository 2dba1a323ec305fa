"""Expressions over every supported member, the same ones on every machine: a draw depends on the member alone.

What a new member draws leaves the others' expressions as they are.
"""

import random
from functools import cache
from itertools import product
from math import prod

from apim_emulator.csharp.types import ENUMS
from emulator.tests.csharp.calls import CALL
from emulator.tests.csharp.members import Use, uses
from emulator.tests.csharp.values import CERTIFICATE, values

MOST = 8
"""How many expressions are drawn for a use of a member, at most."""
DRAWN_CALL = {
    **CALL,
    "variables": {
        **CALL["variables"],
        "certificate": {"t": "byte[]", "v": CERTIFICATE},
        "authorization": {"t": "Authorization", "v": "secret"},
    },
}
"""The call that they are evaluated in."""


def drawn(one: Use) -> list[str]:
    """Draw expressions for a use of a member: every value of its places, and then chance."""
    if not one.needs:
        return list(dict.fromkeys(_simple(one)))
    options = [values(one, place) for place in range(len(one.needs))]
    chance = random.Random(f"{one.signature} {one.types}")  # noqa: S311 - not secret
    found: dict[str, None] = {}
    several = prod(map(len, options))
    if several <= MOST:
        for choice in product(*options):
            found[one.written(choice)] = None
        return list(found)
    orders = [chance.sample(texts, len(texts)) for texts in options]
    for turn in range(MOST):
        found[one.written([order[turn % len(order)] for order in orders])] = None
    return list(found)


def _simple(one: Use) -> list[str]:
    """Write a constant, or a call without arguments; of an enumeration also its text and its equality."""
    text = one.written([])
    if one.kind == "constant" and one.owner in ENUMS:
        whole = text.removeprefix("@(").removesuffix(")")
        return [text, f"@({whole}.ToString())", f"@({whole} == {whole})"]
    return [text]


@cache
def expressions() -> dict[str, tuple[str, ...]]:
    """Give the expressions of each supported member, by its signature."""
    found: dict[str, dict[str, None]] = {}
    for one in uses():
        found.setdefault(one.signature, {}).update(dict.fromkeys(drawn(one)))
    return {signature: tuple(texts) for signature, texts in found.items()}
