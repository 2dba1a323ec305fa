"""Stored responses of the v1 surface, which can belong to the caller that made them."""

from collections.abc import Iterator

from definitions import Surface
from options.gateway import GatewaySku
from options.mistakes import Key, Mistake

KEPT_SECONDS = 30 * 24 * 60 * 60
"""Seconds for which it is known who made a response: as long as Azure OpenAI stores one ("Responses API")."""

_KEY = ("own_responses",)


def check_own_responses(owned: bool, surface: Surface, definition: object, place: Key) -> Iterator[Mistake]:
    """Refuse responses with owners where there are none, or where they are not known to be responses.

    Args:
        owned: whether responses belong to their callers.
        surface: surface that the API publishes.
        definition: the user's own definition, or None.
        place: key of that definition.

    """
    if owned and surface is not Surface.V1:
        problem = "conflicts with {0} dated, which has no Responses; remove it, or set surface to v1"
        yield Mistake(key=_KEY, value=True, problem=problem, about=(("surface",),))
    elif owned and definition is not None:
        problem = "conflicts with {0}, whose operations are not known to be those of Responses; remove one of the two"
        yield Mistake(key=_KEY, value=True, problem=problem, about=(place,))


def check_own_responses_tier(owned: bool, key: Key, sku: str | None, tier: Key) -> Iterator[Mistake]:
    """Refuse responses with owners, asked for at `key`, in a tier that cannot remember them, which is set at `tier`."""
    if owned and sku == GatewaySku.CONSUMPTION:
        problem = "needs the built-in cache, which {0} Consumption lacks; remove it, or choose another tier"
        yield Mistake(key=key, value=True, problem=problem, about=(tier,))
